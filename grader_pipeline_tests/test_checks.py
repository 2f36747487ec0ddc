"""Each check on both sides of its bound."""

import datetime as dt
from dataclasses import replace

import dagster as dg
import pytest

from grader_pipeline.asset_names import GRADER_TABLE, SHEET_REPORT, VALIDATED_ATTEMPTS
from grader_pipeline.attempts.validated_file import Tally
from grader_pipeline.checks import LoadedDay, ShownDay, StoredBefore, ValidatedDay, results, specs
from grader_pipeline.partitions import school_day
from grader_pipeline.settings import Settings

WEDNESDAY, SATURDAY, SUNDAY = "2023-05-31", "2023-06-03", "2023-06-04"
LEDGER = {
    "received": 100,
    "loaded": 60,
    "already_there": 20,
    "duplicates": 15,
    "rejected": 5,
    "quarantined": 20,
    "stored": 85,
    "differing": 0,
}


AS_REMEMBERED = StoredBefore(attempts=25, remembered=25, marks=0)
AGREEING = ShownDay({}, [], False, {"submits": 3}, {"submits": 3})


def of_validated_attempts(tally: Tally, volumes=(), day: str = WEDNESDAY, **by_type):
    facts = ValidatedDay(tally, school_day(day), volumes, Settings(), by_type)
    return results(VALIDATED_ATTEMPTS, facts)


def passed(tally: Tally, volumes=(), day: str = WEDNESDAY, **by_type) -> dict[str, bool]:
    found = of_validated_attempts(tally, volumes, day, **by_type)
    return {result.check_name: result.passed for result in found}


def result_of(name: str, tally: Tally) -> dg.AssetCheckResult:
    (result,) = [r for r in of_validated_attempts(tally) if r.check_name == name]
    return result


def failed(asset: str, facts) -> dg.AssetCheckResult:
    """The only check of the asset that the facts fail."""
    (result,) = [result for result in results(asset, facts) if not result.passed]
    return result


def test_every_check_is_answered_and_only_the_blocking_ones_are_errors():
    found = [
        *of_validated_attempts(Tally()),
        *results(GRADER_TABLE, LoadedDay(LEDGER, [], AS_REMEMBERED)),
        *results(SHEET_REPORT, AGREEING),
    ]
    by_name = {spec.name: spec for spec in specs()}
    assert sorted(result.check_name for result in found) == sorted(by_name)
    for result in found:
        spec = by_name[result.check_name]
        assert spec.description
        assert result.asset_key == spec.asset_key
        assert (result.severity == dg.AssetCheckSeverity.ERROR) == spec.blocking


@pytest.mark.parametrize(
    ("rejected", "allowed", "few"),
    [
        (0, True, True),
        (49, True, True),
        (50, True, False),
        (500, True, False),
        (501, False, False),
        (1000, False, False),
    ],
)
def test_the_share_of_rejects_may_reach_its_bound_and_not_pass_it(rejected, allowed, few):
    found = passed(Tally(received=1000, rejected=rejected))
    assert (found["rejected_share"], found["few_rejected"]) == (allowed, few)


def test_duplicates_are_received_and_not_rejected():
    found = passed(Tally(received=1000, duplicates=900, rejected=49))
    assert (found["rejected_share"], found["few_rejected"]) == (True, True)


@pytest.mark.parametrize(("bound", "rejected"), [("0", 0), ("1", 10)])
def test_the_bound_of_the_share_is_a_setting(monkeypatch, bound, rejected):
    monkeypatch.setenv("GRADER_MAX_REJECTED_SHARE", bound)
    assert passed(Tally(received=10, rejected=rejected))["rejected_share"]
    assert passed(Tally(received=10, rejected=1))["rejected_share"] == (bound == "1")


@pytest.mark.parametrize(("rejected", "allowed"), [(0, True), (50, True), (51, False)])
def test_each_attempt_type_has_the_bound_of_the_share(rejected, allowed):
    tally = Tally(
        received=1000, rejected=rejected,
        received_by_type={"run": 900, "submit": 100}, rejected_by_type={"submit": rejected},
    )  # fmt: skip
    result = result_of("rejected_share", tally)
    assert result.passed == allowed
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert (f"{rejected} of 100 submits were rejected." in result.description) != allowed


@pytest.mark.parametrize(
    ("rejected", "named", "not_named"),
    [
        ({"a": 50, "small": 50}, [], 0),
        ({"b": 51, "a": 50}, ["b"], 0),
        ({"b": 51, "a": 99, "small": 60}, ["a", "b"], 1),
        ({"small": 51}, [], 1),
    ],
)
def test_a_course_of_which_many_were_rejected_is_named_unless_they_are_of_few_learners(
    rejected, named, not_named
):
    # Five learners with valid attempts do not make the rejected elements those of five.
    tally = Tally(
        received=9000, courses_rejected=rejected, large_courses=["a", "b", "small"],
        large_courses_rejected=["a", "b"],
    )  # fmt: skip
    result = result_of("few_rejected_in_each_course", tally)
    assert result.passed == (not named and not not_named)
    assert {name: found.value for name, found in result.metadata.items()} == {
        "courses": named, "not named": not_named,
    }  # fmt: skip


def test_an_attempt_type_that_the_answer_lacks_has_no_attempts():
    # A share of 0.1 of the median of 5: one submit would do.
    tally = Tally(received=1000, valid_by_type={"run": 1000})
    assert not passed(tally, (1000, 1000), submit=[5, 5])["day_volume"]


@pytest.mark.parametrize(
    ("submits", "weeks", "enough"),
    [
        (9, [100, 100], False),
        (10, [100, 100], True),
        (0, [100], True),
        (0, [0, 0], True),
        (0, [], True),
    ],
)
def test_each_attempt_type_needs_its_share_of_the_weekdays_median(submits, weeks, enough):
    tally = Tally(received=1000, valid_by_type={"run": 1000 - submits, "submit": submits})
    assert passed(tally, (1000, 1000), submit=weeks)["day_volume"] == enough


def test_elements_of_forgotten_learners_are_no_errors_and_no_lack_of_attempts():
    forgotten = Tally(received=100, rejected=99, forgotten=99)
    assert all(passed(forgotten).values())
    assert all(passed(forgotten, volumes=[100, 100], run=[50, 50]).values())
    assert not passed(Tally(received=100, rejected=99, forgotten=97))["rejected_share"]
    assert not passed(Tally(received=9, rejected=9, forgotten=9), [100, 100])["day_volume"]


def test_an_empty_answer_has_no_share_of_rejects():
    assert passed(Tally())["rejected_share"] and passed(Tally())["few_rejected"]
    assert result_of("rejected_share", Tally()).metadata["share"].value == 0


@pytest.mark.parametrize("volumes", [(), (1000,)])
@pytest.mark.parametrize(
    ("day", "valid", "enough"),
    [
        (WEDNESDAY, 0, False),
        ("2023-06-02", 0, False),
        (WEDNESDAY, 1, True),
        (SATURDAY, 0, True),
        (SUNDAY, 0, True),
    ],
)
def test_with_fewer_than_two_weeks_only_an_empty_working_day_is_too_little(
    volumes, day, valid, enough
):
    found = passed(Tally(received=valid), volumes, day)
    assert found["day_volume"] == enough
    assert found["usual_volume"]


@pytest.mark.parametrize(
    ("volumes", "bound"),
    [
        ((1000, 1000), 100),
        ((900, 1100), 100),
        ((0, 1000, 100_000), 100),
        ((1, 1000, 1000, 100_000), 100),
        ((0, 500, 1500, 9000), 100),
    ],
)
@pytest.mark.parametrize("day", [WEDNESDAY, SATURDAY])
def test_a_day_needs_its_share_of_the_weekdays_median(volumes, bound, day):
    assert passed(Tally(received=bound), volumes, day)["day_volume"]
    assert not passed(Tally(received=bound - 1), volumes, day)["day_volume"]
    assert not passed(Tally(), volumes, day)["day_volume"]


def test_only_attempts_fit_to_be_loaded_count_as_volume():
    volumes = (1000, 1000)
    assert not passed(Tally(received=1000, rejected=901), volumes)["day_volume"]
    assert not passed(Tally(received=1000, duplicates=901), volumes)["day_volume"]
    assert passed(Tally(received=1000, duplicates=900), volumes)["day_volume"]


def test_a_share_of_zero_lets_every_volume_pass(monkeypatch):
    monkeypatch.setenv("GRADER_MIN_VOLUME_SHARE", "0")
    for volumes in ((), (1000, 1000)):
        assert passed(Tally(), volumes)["day_volume"]


def test_a_share_of_one_asks_for_the_whole_median(monkeypatch):
    monkeypatch.setenv("GRADER_MIN_VOLUME_SHARE", "1")
    assert passed(Tally(received=1000), (1000, 1000))["day_volume"]
    assert not passed(Tally(received=999), (1000, 1000))["day_volume"]


def test_a_weekday_that_is_always_empty_stays_so_without_a_word():
    found = passed(Tally(), (0, 0, 0), SUNDAY)
    assert (found["day_volume"], found["usual_volume"]) == (True, True)


@pytest.mark.parametrize(
    ("valid", "usual"), [(499, False), (500, True), (1000, True), (2000, True), (2001, False)]
)
def test_under_half_and_over_double_the_median_are_unusual(valid, usual):
    found = passed(Tally(received=valid), (1000, 1000))
    assert (found["usual_volume"], found["day_volume"]) == (usual, True)


@pytest.mark.parametrize(("unread", "fits"), [(0, True), (49, True), (50, False), (1000, False)])
def test_attempts_without_a_readable_course_or_task_are_worth_a_look_from_5_percent(unread, fits):
    tally = Tally(received=1200, rejected=200, unread=unread)
    assert passed(tally)["courses_and_tasks_are_readable"] == fits


def test_one_verdict_that_does_not_fit_is_worth_a_look():
    assert passed(Tally(received=9))["verdict_fits_type"]
    assert not passed(Tally(received=9, verdict_disagrees=1))["verdict_fits_type"]


@pytest.mark.parametrize(
    ("courses", "without", "named", "unnamed"),
    [
        ({}, {}, [], 0),
        ({"a": 2}, {}, [], 0),
        ({"a": 2, "b": 1}, {"a": 1}, [], 0),
        ({"a": 2, "b": 1}, {"a": 2}, ["a"], 0),
        ({"a": 2, "b": 1}, {"a": 1, "b": 1}, ["b"], 0),
        ({"a": 2, "small": 9}, {"a": 2, "small": 9}, ["a"], 1),
        ({"small": 9}, {"small": 9}, [], 1),
    ],
)
def test_a_course_without_any_outcome_url_is_named_unless_it_has_few_learners(
    courses, without, named, unnamed
):
    tally = Tally(
        received=3, courses=courses, courses_without_url=without, large_courses=["a", "b"]
    )
    result = result_of("courses_have_outcome_urls", tally)
    assert result.passed == (not named and not unnamed)
    assert result.metadata["courses"].value == named
    assert result.metadata["not named"].value == unnamed


@pytest.mark.parametrize(
    ("courses", "without", "named", "not_named"),
    [
        ({}, {}, {}, 0),
        ({"a": 15}, {}, {}, 0),
        ({"a": 15}, {"a": 15}, {}, 0),
        ({"a": 15, "b": 2}, {"a": 8, "b": 2}, {"a": 53}, 0),
        ({"b": 9, "a": 15}, {"b": 1, "a": 14}, {"a": 93, "b": 11}, 0),
        ({"small": 9, "a": 15}, {"small": 1, "a": 8}, {"a": 53}, 1),
        ({"small": 9}, {"small": 1}, {}, 1),
    ],
)
def test_a_course_with_outcome_urls_that_lacks_some_is_named_with_their_share(
    courses, without, named, not_named
):
    tally = Tally(
        received=15, courses=courses, courses_without_url=without, large_courses=["a", "b"]
    )
    result = result_of("outcome_urls_are_whole", tally)
    assert result.passed == (not named and not not_named)
    assert result.metadata["% of attempts"].value == named
    assert result.metadata["not named"].value == not_named


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"stored": 80}, True),
        ({"stored": 79}, False),
        ({"received": 101}, False),
        ({"loaded": 61}, False),
        ({"already_there": 19}, False),
        ({"duplicates": 14}, False),
        ({"rejected": 6}, False),
        ({"quarantined": 19}, False),
        ({"quarantined": 21}, False),
        ({"duplicates": 14, "rejected": 6}, True),
    ],
)
def test_one_row_too_many_or_too_few_fails_accounting(change, holds):
    facts = LoadedDay({**LEDGER, **change}, [], AS_REMEMBERED)
    found = {result.check_name: result.passed for result in results(GRADER_TABLE, facts)}
    assert found.pop("accounting") == holds
    assert all(found.values())


def test_a_difference_in_the_schema_and_one_in_the_rows_fail_a_check_each():
    facts = LoadedDay({**LEDGER, "differing": 1}, ["no column id"], AS_REMEMBERED)
    found = {result.check_name: result for result in results(GRADER_TABLE, facts)}
    assert {name for name, result in found.items() if not result.passed} == {
        "table_schema",
        "stored_rows_agree",
    }
    assert found["table_schema"].severity == dg.AssetCheckSeverity.ERROR
    assert found["stored_rows_agree"].severity == dg.AssetCheckSeverity.WARN
    assert found["table_schema"].metadata["differences"].value == ["no column id"]
    assert "on_conflict: update" in found["stored_rows_agree"].description


def test_each_report_that_was_not_computed_is_named_with_its_cause():
    assert all(result.passed for result in results(SHEET_REPORT, AGREEING))
    failures = {"tasks": "sql/reports/tasks.sql, line 3: no"}
    result = failed(SHEET_REPORT, replace(AGREEING, failures=failures))
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert result.description == failures["tasks"]
    assert result.metadata["failed"].value == failures


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"shown": {"submits": 4}}, "submits is 4 in the report and 3 in grader"),
        ({"shown": {}}, "submits is None in the report"),
        ({"outdated": ["tasks"]}, "Computed before the day's attempts changed: tasks"),
        ({"changed_by_others": True}, "Somebody else changed attempts of the day"),
    ],
)
def test_reports_that_do_not_agree_with_the_table_fail_a_check(facts, said):
    result = failed(SHEET_REPORT, replace(AGREEING, **facts))
    assert (result.check_name, result.severity) == ("reports_agree", dg.AssetCheckSeverity.ERROR)
    assert said in result.description


@pytest.mark.parametrize(
    "facts",
    [
        {"before": replace(AS_REMEMBERED, marks=1)},
        {"before": replace(AS_REMEMBERED, attempts=24)},
        {"redone": [dt.date(2023, 5, 1)]},
    ],
)
def test_a_table_that_somebody_else_has_changed_is_a_warning_with_what_was_redone(facts):
    result = failed(GRADER_TABLE, LoadedDay(LEDGER, [], **{"before": AS_REMEMBERED, **facts}))
    assert (result.check_name, result.severity) == ("table_was_changed", dg.AssetCheckSeverity.WARN)
    assert "rolled up again" in result.description


@pytest.mark.parametrize(("remembered", "known"), [(None, "none"), (24, "24")])
def test_the_warning_of_a_changed_table_names_what_its_rollup_was_made_of(remembered, known):
    before = replace(AS_REMEMBERED, remembered=remembered, marks=1)
    result = failed(GRADER_TABLE, LoadedDay(LEDGER, [], before))
    assert f"The day had 25 attempts before this load, its rollup {known}; 1 quarter" in (
        result.description
    )


def test_a_check_that_finds_nothing_says_so():
    found = results(GRADER_TABLE, LoadedDay(LEDGER, [], AS_REMEMBERED))
    said = {result.check_name: result.description for result in found}
    assert said["table_schema"] == "No difference."
    assert said["table_was_changed"] == "Nobody else has changed it."

"""What the owners read when a run fails: real runs, with the pipeline's checks and failures."""

import email
import email.policy

import dagster as dg
import pytest

from grader_pipeline import checks
from grader_pipeline.asset_names import VALIDATED_ATTEMPTS
from grader_pipeline.attempts.validated_file import Tally
from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.mail import check_warnings
from grader_pipeline.mail.run_outcome import failure_cause
from grader_pipeline.partitions import day_of, school_day
from grader_pipeline.settings import Settings

pytestmark = pytest.mark.processes

DAYS = dg.DailyPartitionsDefinition("2023-04-01")
RANGE = {
    "dagster/asset_partition_range_start": "2023-05-29",
    "dagster/asset_partition_range_end": "2023-05-31",
}
FAILURE = "owner@school.example: Выгрузка grades не удалась"
given: dict[str, Exception | int] = {}


@dg.asset(partitions_def=DAYS)
def raw_attempts(context: dg.AssetExecutionContext) -> None:
    day_of(context)
    if isinstance(trouble := given.get("trouble"), Exception):
        raise trouble


@dg.asset_check(asset=raw_attempts, blocking=True)
def whole() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False)


@dg.asset(partitions_def=DAYS, check_specs=checks.specs(VALIDATED_ATTEMPTS))
def validated_attempts():
    tally, volumes = Tally(received=given["attempts"]), [5000] * 4
    facts = checks.ValidatedDay(tally, school_day("2023-05-31"), volumes, Settings())
    yield dg.MaterializeResult(check_results=checks.results(VALIDATED_ATTEMPTS, facts))


@pytest.fixture(autouse=True)
def no_trouble():
    given.clear()


@pytest.fixture
def run(instance):
    def run(asset=raw_attempts, *others, day: str | None = "2023-05-31", **tags: str) -> str:
        return dg.materialize(
            [asset, *others], instance=instance, partition_key=day, tags=tags, raise_on_error=False
        ).run_id

    return run


@pytest.fixture
def last_text(outbox_rows):
    def text() -> str:
        message = email.message_from_bytes(
            bytes(outbox_rows()[-1]["message"]), policy=email.policy.default
        )
        return message.get_body(("plain",)).get_content().replace("\r\n", "\n")

    return text


def test_a_failure_names_step_and_cause_but_no_learner(instance, run):
    learner = "3583bf109f8b458e13ae1ac9d85c396a"
    given["trouble"] = ValueError(f"{learner} twice\nDETAIL: (user_id)=({learner})")
    cause = failure_cause(instance, run())
    assert (cause.step, cause.text) == ("raw_attempts", "ValueError: … twice")
    given["trouble"] = PermanentFailure("The key is refused. Check GRADER_API_CLIENT_KEY.")
    cause = failure_cause(instance, run(raw_attempts, whole))
    assert cause.text == "The key is refused. Check GRADER_API_CLIENT_KEY."


def test_a_failed_check_is_mailed_with_its_numbers_and_what_it_expects(run, subjects, last_text):
    given["attempts"] = 3
    run(validated_attempts)
    assert subjects() == [f"{FAILURE} — отчёт за 31.05.2023"]
    text = last_text()
    assert "Данных за день намного меньше, чем обычно в этот день недели" in text
    assert "accept_day: true" in text, "who can do what"
    technical = text.partition("Техническое описание, для владельцев выгрузки\n")[2]
    assert technical.startswith(
        "validated_attempts: Check day_volume failed. 3 attempts; the median of the weekday is "
        "5000. Expected: At least GRADER_MIN_VOLUME_SHARE of the median"
    )
    assert "usual_volume" not in last_text(), "a warning fails no run"


@dg.asset(partitions_def=DAYS, deps=[validated_attempts])
def sheet_report() -> None: ...


def test_the_warnings_of_a_days_checks_are_in_its_mail(run, subjects, last_text):
    given["attempts"] = 1200
    run(validated_attempts, sheet_report)
    assert len(subjects()) == 1
    text = last_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "ниже — 1 замечание" in text
    assert "За день 1 200 попыток — это меньше половины обычного" in text


def test_a_retry_of_the_last_step_has_the_warnings_of_the_steps_before(instance, run):
    given["attempts"] = 1200
    first = run(validated_attempts)
    retry = dg.DagsterRun("day", parent_run_id=first, root_run_id=first)
    instance.add_run(retry)
    assert check_warnings.of_run(instance, retry) == [], "somebody ran it again"
    instance.add_run_tags(first, {"dagster/auto_retry_run_id": retry.run_id})
    (warning,) = check_warnings.of_run(instance, retry)
    assert warning == ("usual_volume", {"attempts": 1200, "median of the weekday": 5000.0})


def test_a_failure_that_time_can_clear_is_known_as_one(instance, run):
    given["trouble"] = TransientFailure("The API answers 503.")
    assert failure_cause(instance, run()).may_pass
    given["trouble"] = PermanentFailure("The key is refused.")
    assert not failure_cause(instance, run()).may_pass


def test_a_failed_check_is_one_cause_whatever_its_numbers(run, subjects):
    given["attempts"] = 3
    run(validated_attempts)
    assert len(subjects()) == 1
    given["attempts"] = 40
    run(validated_attempts)
    assert subjects() == []


def test_a_failed_check_without_a_description_is_named(instance, run):
    cause = failure_cause(instance, run(raw_attempts, whole))
    assert "whole failed." in cause.text


@pytest.mark.parametrize("tags", [{}, {"dagster/partition": "2023-5-7"}])
def test_each_failed_run_of_no_day_is_mailed_once(run, subjects, last_text, tags):
    for _ in range(2):
        run(day=None, **tags)
        assert subjects() == [FAILURE]
        assert subjects() == []
    assert "больше не напомним" not in last_text(), "no later mail says that it works again"


def test_each_refused_range_is_mailed_with_all_of_its_days(run, subjects, last_text):
    for _ in range(2):
        run(day=None, **RANGE)
        assert [found.replace("\N{NO-BREAK SPACE}", " ") for found in subjects()] == [
            f"{FAILURE} — отчёты за 29.05.2023–31.05.2023 (3 дня)"
        ]
    assert "Выгрузка grades за 29.05.2023–31.05.2023 не удалась" in last_text()
    assert "больше не напомним" not in last_text()

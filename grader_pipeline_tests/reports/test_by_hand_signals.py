"""Every column of the reports that call for somebody: tasks, learners, data. Worked out by hand."""

import datetime as dt
from decimal import Decimal as D  # noqa: N817 - the numbers are to be seen, not the type

from grader_pipeline_tests.grader import learner
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import (
    COURSE,
    DAY,
    OK,
    RUN,
    TODAY,
    WRONG,
    X,
    Y,
    at,
    only,
)  # fmt: skip


def test_a_task_whose_success_share_fell_sharply_is_flagged(school: School) -> None:
    # Yesterday 20 of 40 submits of X were correct: 50 %. Today 1 of 10: 10 %, a fall of 0.4, and
    # three standard errors are 3 * sqrt(0.5 * 0.5 / 10) = 0.474: chance may do that.
    # With 1 of 12 it is 8.3 %, a fall of 0.417 against 3 * sqrt(0.25 / 12) = 0.433: still may.
    # With 1 of 14 it is 7.1 %, a fall of 0.429 against 3 * sqrt(0.25 / 14) = 0.401: flagged.
    school.load(DAY - dt.timedelta(days=1),
                [at(f"10:{n:02}", f"u{n}", n % 2 == 0, back=1) for n in range(40)])  # fmt: skip
    for number, flagged in ((10, 0), (12, 0), (14, 1)):
        school.load(DAY, [at(f"11:{n:02}", f"u{n}", n == 0) for n in range(number)])
        school.compute(DAY, "broken_tasks")
        assert len(school.rows("broken_tasks")) == flagged
    assert only(school.rows("broken_tasks"), course=COURSE, task=X) == {
        "learners": 14, "submits": 14, "success_share": D("7.1"),
        "learners_before": 40, "submits_before": 40, "success_share_before": D("50.0"),
    }  # fmt: skip


def test_the_learners_who_need_help_and_their_counts(school: School) -> None:
    # ten: ten submits and nothing solved this week; five of them on X, none right: stuck.
    # one … six: one submit each, solved: 1 submit a solved task. Of these 7 values the 85th
    # percentile is the sixth (6 / 7 = 86 %), which is 1; only ten has more than the least.
    # gone: tried nine days ago, not since. runs: runs only.
    ten = [at(f"10:0{n}", "ten", WRONG) for n in range(5)]
    ten += [at(f"10:1{n}", "ten", WRONG, Y) for n in range(4)]
    ten += [at("10:20", "ten", WRONG, "c" * 32)]
    others = [at("11:00", name, OK) for name in ("one", "two", "three", "four", "five", "six")]
    school.load(DAY - dt.timedelta(days=9), [at("10:00", "gone", OK, back=9)])
    school.load(DAY, [*ten, *others, at("12:00", "runs", RUN)])
    school.compute(DAY, "learners", "attention")
    rows = school.rows("learners")
    assert {row["user_id"] for row in rows} == {learner(name) for name in ("ten", "gone", "runs")}
    assert only(rows, user_id=learner("ten"), course=COURSE) == {
        "stuck_tasks": 1,
        "submits_7": 10,
        "solved_7": 0,
        "submits_per_solved": None,
        "is_stuck": True,
        "is_struggling": True,
        "is_disengaging": False,
        "is_run_only": False,
    }
    assert only(rows, user_id=learner("gone"), course=COURSE)["is_disengaging"]
    assert only(rows, user_id=learner("runs"), course=COURSE)["is_run_only"]
    counts = sorted(school.rows("attention"), key=lambda row: row["place"])
    assert [(row["learners"], row["active_learners"], row["share"]) for row in counts] == [
        (1, 9, D("11.1"))
    ] * 4


def test_the_health_of_the_data(school: School) -> None:
    school.load(DAY, [*TODAY, at("16:00", "gus", RUN, "no hexadecimal task")])
    with school.postgres.transaction() as db:
        db.execute(
            "INSERT INTO grader_load VALUES ('2023-05-31', 'run', 20, 10, 1, 2, 7, 0, 'sha')"
        )
        db.execute("UPDATE grader_load SET updated = 3")
        db.execute(
            "INSERT INTO grader_rejected VALUES"
            " ('2023-05-31', 1, '{bad_timestamp,null_field}', ''),"
            " ('2023-05-31', 2, '{null_field}', ''), ('2023-05-31', 3, '{duplicate_key}', '')"
        )
    school.compute(DAY, "data_health")
    lines = sorted(school.rows("data_health"), key=lambda row: row["place"])
    assert [line["place"] for line in lines] == list(range(1, len(lines) + 1))
    # In the order of the file, repeated lines by name.
    assert [(line["metric"], line["value"]) for line in lines] == list({
        "received": 20,
        "stored": 11,  # 10 loaded and 1 already there
        "duplicates": 2,
        "rejected": 7,
        "rejected_share": D("35.00"),
        "differing": 0,
        "updated": 3,
        "rejected_bad_timestamp": 1,
        "rejected_null_field": 2,
        "without_url_share": D("9.09"),  # fay's, 1 of 11
        "without_task": 1,
        "courses_without_url": 1,
        "without_url course-v1:S+B+1": 1,
    }.items())  # fmt: skip


def test_an_empty_day_gives_zeros_and_nothing_where_nothing_can_be_said(school: School) -> None:
    school.load(DAY, [])
    school.compute(DAY)
    values = {row["metric"]: row["value"] for row in school.rows("daily_metrics")}
    assert {name for name, value in values.items() if value == 0} == {
        "submits", "successful_submits", "unique_users", "attempts", "runs", "wrong_submits",
        "submitting_users", "new_users", "active_users_7", "active_users_28",
    }  # fmt: skip
    assert {value for value in values.values() if value != 0} == {None}
    assert sum(row["attempts"] for row in school.rows("hours")) == 0
    for name in ("courses", "tasks", "broken_tasks", "learners", "attention"):
        assert school.rows(name) == []

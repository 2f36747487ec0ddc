"""Every column of the reports that call for somebody: tasks, learners, data. Worked out by hand."""

import datetime as dt
from decimal import Decimal as D  # noqa: N817 - the numbers are to be seen, not the type

from grader_pipeline.reports.units import Unit
from grader_pipeline_tests.grader import learner
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import (
    COURSE,
    DAY,
    OK,
    RUN,
    TODAY,
    WRONG,
    Y,
    at,
    only,
)  # fmt: skip


def test_the_learners_who_need_help_and_their_counts(school: School) -> None:
    # ten: ten submits and nothing solved this week; five of them on X, none right: stuck.
    # one … six: one submit each, solved: 1 submit a solved task. ten is 1 of 7 with a submit, 14 %.
    # gone: tried nine days ago, not since. runs: runs only. All other days are stored and empty.
    ten = [at(f"10:0{n}", "ten", WRONG) for n in range(5)]
    ten += [at(f"10:1{n}", "ten", WRONG, Y) for n in range(4)]
    ten += [at("10:20", "ten", WRONG, "c" * 32)]
    others = [at("11:00", name, OK) for name in ("one", "two", "three", "four", "five", "six")]
    for back in range(13, 0, -1):
        school.load(DAY - dt.timedelta(days=back), [at("10:00", "gone", OK, back=9)] * (back == 9))
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
    assert [
        (row["learners"], row["active_learners"], row["share"], row["reason"]) for row in counts
    ] == [(1, 9, D("11.1"), None)] * 4


def struggling(school: School, wrong: int, submits: int, solved: int) -> int:
    """How many are flagged: so many made so many wrong submits, so many others solved it."""
    school.forget()
    school.load(DAY, [
        *(at(f"1{n}:{who:02}", f"w{who}", WRONG) for who in range(wrong) for n in range(submits)),
        *(at(f"10:{who:02}", f"solved{who}", OK) for who in range(solved)),
        # Who only runs code is none of those who submit.
        *(at(f"12:{who:02}", f"run{who}", RUN) for who in range(20)),
    ])  # fmt: skip
    school.compute(DAY, "learners")
    return sum(row["is_struggling"] for row in school.rows("learners"))


def test_struggling_are_15_per_cent_at_most_and_made_five_submits(school: School) -> None:
    # Those with one wrong submit have none solved, the most there is: 5 of 8 were flagged, 63 %.
    assert struggling(school, 5, 1, 3) == 0
    # Five submits each make nobody stand out either.
    assert struggling(school, 5, 5, 3) == 0
    # 1 of 7 is 14.3 %, 1 of 6 is 16.7 %.
    assert struggling(school, 1, 5, 6) == 1
    assert struggling(school, 1, 4, 6) == 0
    assert struggling(school, 1, 5, 5) == 0
    # Two who are equal are 14.3 % of 14: in. Three are 21.4 %: all out.
    assert struggling(school, 2, 5, 12) == 2
    assert struggling(school, 3, 5, 11) == 0


def test_nobody_disengages_while_days_of_the_two_weeks_are_missing(school: School) -> None:
    eight = [at(f"10:0{n}", f"u{n}", RUN, back=8) for n in range(8)]
    school.load(DAY - dt.timedelta(days=8), eight)
    school.load(DAY, [])
    school.compute(DAY, "learners", "attention")
    assert {row["is_disengaging"] for row in school.rows("learners")} == {None}
    row = only(school.rows("attention"), course=COURSE, place=3)
    assert (row["learners"], row["share"]) == (None, None)
    assert row["reason"] == "нет данных за 12 из 14 дней"
    for back in (*range(13, 8, -1), *range(7, 0, -1)):
        school.load(DAY - dt.timedelta(days=back), [])
    school.compute(DAY, "learners", "attention")
    assert {row["is_disengaging"] for row in school.rows("learners")} == {True}
    row = only(school.rows("attention"), course=COURSE, place=3)
    assert (row["learners"], row["share"], row["reason"]) == (8, D("100.0"), None)


def test_stuck_looks_at_the_whole_history_with_the_task(school: School) -> None:
    # ann: 3 wrong submits of X 40 days ago, 2 today. bob: 4 and 1, but solved it in between. cat: 4
    # and a run. dan: 5, but nothing in the 28 days.
    long_ago = [at(f"1{n}:00", who, WRONG, back=40)
                for who, number in (("ann", 3), ("bob", 4), ("cat", 4), ("dan", 5))
                for n in range(number)]  # fmt: skip
    school.load(DAY - dt.timedelta(days=40), long_ago)
    school.load(DAY - dt.timedelta(days=30), [at("10:00", "bob", OK, back=30)])
    today = [at("10:00", "ann", WRONG), at("11:00", "ann", WRONG), at("10:00", "bob", WRONG)]
    school.load(DAY, [*today, at("10:00", "cat", RUN)])
    school.compute(DAY, "learners")
    stuck = {
        row["user_id"]: row["stuck_tasks"] for row in school.rows("learners") if row["is_stuck"]
    }
    assert stuck == {learner("ann"): 1}


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
        "unread": None,
        "without_verdict": 0,
        "courses_without_url": 1,
        "first_stored_day": None,
    }.items())  # fmt: skip

    assert {line["metric"]: line["text"] for line in lines if line["text"]} == {
        "unread": "5 % и больше",  # gus's, 9.1 %
        "first_stored_day": "31.05.2023",
    }
    assert (lines[-1]["unit"], lines[-1]["text"]) == (Unit.DATE, "31.05.2023")
    assert {line["unit"] for line in lines} <= set(Unit)


def test_an_empty_day_gives_zeros_and_nothing_where_nothing_can_be_said(school: School) -> None:
    school.load(DAY, [])
    school.compute(DAY)
    values = {row["metric"]: row["value"] for row in school.rows("daily_metrics")}
    assert {name for name, value in values.items() if value == 0} == {
        "submits", "successful_submits", "unique_users", "attempts", "runs", "wrong_submits",
        "submitting_users", "new_users",
    }  # fmt: skip
    assert {value for value in values.values() if value != 0} == {None}
    assert sum(row["attempts"] for row in school.rows("hours")) == 0
    for name in ("courses", "tasks", "broken_tasks", "learners", "attention"):
        assert school.rows(name) == []

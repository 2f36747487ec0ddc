"""Every column of the reports on days, hours, courses and tasks, worked out by hand."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal as D  # noqa: N817 - the numbers are to be seen, not the type
from typing import Any

import pytest

from grader_pipeline.reports.units import Unit
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import (
    COURSE,
    DAY,
    OK,
    OTHER,
    RUN,
    TODAY,
    WEEK_AGO,
    WRONG,
    YESTERDAY,
    X,
    Y,
    at,
    only,
)  # fmt: skip


@pytest.fixture
def loaded(school: School) -> School:
    """All three days; the day before the week stays unloaded."""
    for back, attempts in ((7, WEEK_AGO), (1, YESTERDAY), (0, TODAY)):
        school.load(DAY - dt.timedelta(days=back), attempts)
    school.compute(DAY)
    return school


def test_the_day(loaded: School) -> None:
    lines = sorted(loaded.rows("daily_metrics", DAY), key=lambda row: row["place"])
    assert [line["place"] for line in lines] == list(range(1, len(lines) + 1))
    # In the order of the file.
    assert [(line["metric"], line["value"]) for line in lines] == list({
        "submits": 6,  # cat, bob 2, dan, eve, ann
        "successful_submits": 4,  # cat, bob, dan, ann
        "unique_users": 6,  # ann bob cat dan eve fay
        "attempts": 10,
        "runs": 4,  # bob, dan 2, fay
        "wrong_submits": 2,  # bob, eve
        "success_share": D("66.7"),  # 4 / 6
        "submitting_users": 5,  # all but fay
        "new_users": 3,  # dan eve fay
        "active_users_7": None,  # 5 of the 7 days are not stored
        "active_users_28": None,
        "attempts_per_user": D("1.7"),  # 10 / 6
        "median_attempts_per_user": D("1.0"),  # 1 1 1 1 3 3
        "submits_per_user": D("1.2"),  # 6 / 5
        "median_submits_per_user": D("1.0"),  # 1 1 1 1 2
        "runs_per_user": D("1.3"),  # 4 / 3
        "median_runs_per_user": D("1.0"),  # 1 1 2
        "busiest_hour": 10,  # 10:00 twice, 10:06, 10:30, 10:45
        "first_attempt": 0,
        "last_attempt": 930,  # 15:30
        "submits_to_day_before": D("50.0"),  # 6 against 4
        "submits_to_week_before": D("200.0"),  # 6 against 2
        "successes_to_day_before": D("100.0"),  # 4 against 2
        "successes_to_week_before": D("300.0"),  # 4 against 1
        "users_to_day_before": D("100.0"),  # 6 against 3
        "users_to_week_before": D("500.0"),  # 6 against 1
    }.items())  # fmt: skip
    assert {line["metric"]: line["text"] for line in lines if line["text"]} == {
        "active_users_7": "нет данных за 5 из 7 дней",
        "active_users_28": "нет данных за 25 из 28 дней",
        "busiest_hour": "10:00–11:00",
    }
    assert {line["unit"] for line in lines} <= set(Unit)
    assert [line["label"] for line in lines[:3]] == [
        "Количество попыток (submit)",
        "Количество успешных попыток (submit)",
        "Количество уникальных юзеров",
    ]
    shares = [line["label"] for line in lines if line["metric"].endswith(("share", "before"))]
    assert all("%" in label and " от " in label for label in shares)


def values(school: School) -> dict[str, Any]:
    """The day's metrics that have a value or a text; the text, if there is one."""
    lines = school.rows("daily_metrics", DAY)
    return {line["metric"]: line["text"] or line["value"] for line in lines}


def test_the_last_attempt_is_never_at_24_00_and_each_busiest_hour_is_named(school: School) -> None:
    last = dt.time(23, 59, 59, 999_999).isoformat()
    school.load(DAY, [at("03:10:59", "ann", RUN), at("14:00", "ann", RUN), at(last, "ann", RUN)])
    school.compute(DAY, "daily_metrics")
    found = values(school)
    assert (found["first_attempt"], found["last_attempt"]) == (3 * 60 + 10, 23 * 60 + 59)
    assert found["busiest_hour"] == "03:00–04:00, 14:00–15:00, 23:00–00:00"
    (line,) = [r for r in school.rows("daily_metrics", DAY) if r["metric"] == "busiest_hour"]
    assert line["value"] is None
    school.load(DAY, [at(f"{hour:02}:30", "ann", RUN) for hour in (1, 3, 7, 8, 9, 14, 23)])
    school.load(DAY, [at(f"{hour:02}:40", "ann", RUN) for hour in (1, 7, 8)])
    school.compute(DAY, "daily_metrics")
    assert values(school)["busiest_hour"] == "поровну, часов: 6"


def test_active_users_are_counted_once_all_days_of_the_period_are_stored(school: School) -> None:
    school.load(DAY - dt.timedelta(days=6), [at("10:00", "ann", RUN, back=6)])
    for back in range(5, -1, -1):
        school.load(DAY - dt.timedelta(days=back), [at("10:00", "bob", RUN, back=back)])
    school.compute(DAY, "daily_metrics")
    assert values(school)["active_users_7"] == 2
    assert values(school)["active_users_28"] == "нет данных за 21 из 28 дней"


def test_a_submit_without_verdict_is_a_wrong_one_everywhere(school: School) -> None:
    unknown = replace(at("10:00", "ann", None), kind="submit")
    school.load(DAY, [unknown, at("10:01", "ann", WRONG), at("10:02", "bob", OK)])
    school.compute(DAY)
    found = values(school)
    assert (found["submits"], found["successful_submits"], found["wrong_submits"]) == (3, 1, 2)
    (course,) = school.rows("courses")
    assert (course["submits"], course["successes"], course["wrong_submits"]) == (3, 1, 2)
    health = {row["metric"]: row["value"] for row in school.rows("data_health")}
    assert health["without_verdict"] == 1
    assert school.ask("SELECT count(*) AS n FROM attempt WHERE is_wrong") == [{"n": 2}]


def test_the_hours(loaded: School) -> None:
    rows = loaded.rows("hours", DAY)
    assert sorted(row["hour"] for row in rows) == list(range(24))
    assert only(rows, hour=10) == {
        "learners": 3,  # bob dan eve
        "attempts": 5,
        "submits": 3,  # bob, dan, eve
        "successes": 2,  # bob, dan
        "submitting_learners": 3,
        "success_share": D("66.7"),
    }
    assert only(rows, hour=3) == {
        "learners": 0, "attempts": 0, "submits": 0, "successes": 0, "submitting_learners": 0,
        "success_share": None,
    }  # fmt: skip


def test_the_courses(loaded: School) -> None:
    rows = loaded.rows("courses", DAY)
    assert only(rows, course=COURSE) == {
        "learners": 5,
        "submitting_learners": 5,
        "tasks": 1,
        "attempts": 9,
        "runs": 3,
        "submits": 6,
        "successes": 4,
        "wrong_submits": 2,
        "success_share": D("66.7"),
        "first_try_learners": 2,  # dan and eve; bob and cat submitted yesterday, ann a week ago
        "first_try_share": D("50.0"),  # dan
        "learners_before": 3,  # ann bob cat
        "attempts_before": D("3.5"),  # 2 + 5 attempts on the 2 loaded of the 7 days
        "attempts_change": D("157.1"),  # 9 against 3.5
        "success_share_before": D("50.0"),  # 3 of 6: a week ago 1 of 2, yesterday 2 of 4
        "first_tries": 2,
        "without_url_share": D("0.0"),
    }
    assert only(rows, course=OTHER) == {
        "learners": 1, "submitting_learners": 0, "tasks": 1, "attempts": 1, "runs": 1,
        "submits": 0, "successes": 0, "wrong_submits": 0, "success_share": None,
        "first_try_learners": 0, "first_try_share": None, "learners_before": 0,
        "attempts_before": D("0.0"), "attempts_change": None, "success_share_before": None,
        "first_tries": 0, "without_url_share": D("100.0"),
    }  # fmt: skip


def test_a_first_try_is_that_of_a_learner_and_a_task(school: School) -> None:
    # ann: X right at once, Y wrong, right later; bob: Y wrong. 1 of 3 first submits was right,
    # though ann is one of two learners who did it with the first submit of something.
    school.load(DAY, [
        at("10:00", "ann", OK, X), at("10:01", "ann", WRONG, Y), at("10:02", "ann", OK, Y),
        at("10:03", "bob", WRONG, Y),
    ])  # fmt: skip
    school.compute(DAY, "courses")
    (row,) = school.rows("courses")
    assert (row["first_try_learners"], row["first_tries"]) == (2, 3)
    assert row["first_try_share"] == D("33.3")


def test_attempts_whose_course_cannot_be_read_are_a_line_of_their_own(school: School) -> None:
    unread = [replace(at(f"11:0{n}", f"u{n}", OK, url=None), text="12") for n in range(2)]
    school.load(DAY, [at("10:00", "ann", WRONG), *unread])
    school.compute(DAY, "courses", "daily_metrics", "tasks")
    row = only(school.rows("courses"), course="не распознан")
    assert {name: value for name, value in row.items() if value} == {
        "learners": 2, "submitting_learners": 2, "attempts": 2, "submits": 2, "successes": 2,
        "success_share": D("100.0"), "without_url_share": D("100.0"),
    }  # fmt: skip
    assert (row["tasks"], row["first_tries"], row["first_try_share"]) == (0, 0, None)
    assert sum(row["attempts"] for row in school.rows("courses")) == values(school)["attempts"] == 3
    assert {row["task"] for row in school.rows("tasks")} == {X}


def test_the_tasks(loaded: School) -> None:
    rows = loaded.rows("tasks", DAY)
    assert len(rows) == 6  # X, and Y of the other course; nobody tried Y of the course today
    assert only(rows, course=COURSE, task=X, period="день") == {
        "place": 1,
        "learners": 5,  # ann bob cat dan eve
        "submitted": 5,
        "solved": 4,  # all but eve
        "never_solved": 1,
        "solved_share": D("80.0"),
        "difficulty_rank": 1,
        "ranked_tasks": 1,  # nobody submitted Y of the course today
        "first_submitters": 2,  # dan eve
        "first_submit_share": D("50.0"),
        "runs_before_submit": D("1.0"),  # dan 2, eve 0
        "first_solvers": 3,  # bob cat dan; ann had solved it
        "submits_until_solved": D("2.0"),  # bob 3 (one of them yesterday), cat 2, dan 1
        "median_submits_until_solved": D("2.0"),
        # bob 25: yesterday 5 from his run on, the night is not work, today 20. dan 30.
        # cat never ran it. Between 25 and 30 lies 27.5.
        "minutes_until_solved": D("27.5"),
        "timed_solvers": 2,  # bob dan
        "attempts": 9, "submits": 6, "successes": 4,
    }  # fmt: skip
    assert only(rows, course=COURSE, task=X, period="всё время") == {
        "place": 3,
        "learners": 5,
        "submitted": 5,
        "solved": 4,
        "never_solved": 1,
        "solved_share": D("80.0"),
        "difficulty_rank": 1,  # of Y all who submitted it have solved it
        "ranked_tasks": 2,
        "first_submitters": 5,
        "first_submit_share": D("20.0"),  # dan; ann, bob and cat were wrong first
        "runs_before_submit": D("0.6"),  # bob 1, dan 2, the others 0
        "first_solvers": 4,
        "submits_until_solved": D("2.0"),  # ann 2, bob 3, cat 2, dan 1
        "median_submits_until_solved": D("2.0"),
        "minutes_until_solved": D("27.5"),
        "timed_solvers": 2,  # ann and cat never ran it
        "attempts": None, "submits": None, "successes": None,
    }  # fmt: skip
    assert only(rows, course=OTHER, task=Y, period="28 дней") == {
        "place": 2, "learners": 1, "submitted": 0, "solved": 0, "never_solved": 1,
        "solved_share": None, "difficulty_rank": None, "first_submitters": 0,
        "first_submit_share": None, "runs_before_submit": None, "first_solvers": 0,
        "submits_until_solved": None, "median_submits_until_solved": None,
        "minutes_until_solved": None, "timed_solvers": 0, "ranked_tasks": None,
        "attempts": 1, "submits": 0, "successes": 0,
    }  # fmt: skip


def test_difficulty_ranks_all_tasks_of_the_course_not_only_those_tried_that_day(
    school: School,
) -> None:
    # Today 8 of 8 solve X, the only task tried. Y, of 40 days ago, is solved by 1 of 4, the third
    # task, of 3 days ago, by nobody.
    eight = [at(f"10:0{n}", f"u{n}", OK) for n in range(8)]
    third = [at("10:00", f"u{n}", WRONG, "c" * 32, back=3) for n in range(4)]
    long_ago = [at("10:00", f"u{n}", n == 0, Y, back=40) for n in range(4)]
    for back, attempts in ((40, long_ago), (3, third), (0, eight)):
        school.load(DAY - dt.timedelta(days=back), attempts)
    school.compute(DAY, "tasks")
    rows = sorted(school.rows("tasks"), key=lambda row: row["place"])
    assert [row["task"] for row in rows] == [X] * 3
    ranks = [(row["period"], row["difficulty_rank"], row["ranked_tasks"]) for row in rows]
    assert ranks == [("день", 1, 1), ("28 дней", 2, 2), ("всё время", 3, 3)]


def test_who_solved_a_task_before_the_period_has_solved_it(school: School) -> None:
    # ann solved X 40 days ago and runs it today. bob submitted it wrongly 30 days ago and runs it
    # today. cat only runs it.
    old = [at("10:00", "ann", OK, back=40)]
    older = [at("10:00", "bob", WRONG, back=30)]
    for back, attempts in (
        (40, old), (30, older), (0, [at(f"1{n}:00", who, RUN) for n, who in enumerate(
            ("ann", "bob", "cat"))]),
    ):  # fmt: skip
        school.load(DAY - dt.timedelta(days=back), attempts)
    school.compute(DAY, "tasks")
    for row in school.rows("tasks"):
        counts = [row[name] for name in ("learners", "submitted", "solved", "never_solved")]
        assert counts == [3, 2, 1, 2]
        assert row["solved_share"] == D("50.0")
        # Nobody submitted it in these periods, so they do not rank it.
        assert row["difficulty_rank"] == (1 if row["place"] == 3 else None)


def test_the_harder_task_is_first_among_its_course(school: School) -> None:
    school.load(DAY, [at("10:00", "ann", OK), at("10:05", "ann", WRONG, Y), at("10:06", "bob", OK)])
    school.compute(DAY, "tasks")
    rows = [row for row in school.rows("tasks") if row["period"] == "день"]
    assert {row["task"]: row["difficulty_rank"] for row in rows} == {X: 2, Y: 1}


def test_a_week_of_a_course_is_beside_the_week_before_and_only_sundays_have_one(
    school: School,
) -> None:
    # DAY is a Wednesday. The week before it is 22.05 to 28.05: 3 to 9 days back.
    attempts = {
        10: [at("10:00", "ann", OK, back=10), at("10:01", "bob", RUN, back=10)],
        9: [at("00:00", "ann", WRONG, back=9), at("10:00", "cat", RUN, X, OTHER, back=9)],
        3: [at("23:59", "ann", OK, back=3), at("12:00", "bob", WRONG, back=3)],
        2: [at("10:00", "dan", OK, back=2)],
    }
    sunday = DAY - dt.timedelta(days=3)
    for back in range(16, 1, -1):
        school.load(DAY - dt.timedelta(days=back), attempts.get(back, []))
    school.compute(sunday, "weeks")
    school.compute(DAY - dt.timedelta(days=2), "weeks")
    assert len(school.rows("weeks")) == 2
    assert only(school.rows("weeks", sunday), course=COURSE) == {
        "learners": 2,
        "submitting_learners": 2,
        "attempts": 3,
        "submits": 3,
        "successes": 1,
        "success_share": D("33.3"),
        "learners_before": 2,
        "submitting_before": 1,
        "attempts_before": 2,
        "submits_before": 1,
        "success_share_before": D("100.0"),
        "missing": None,
    }
    other = only(school.rows("weeks", sunday), course=OTHER)
    assert (other["learners"], other["learners_before"]) == (1, 0)
    assert other["success_share"] is other["success_share_before"] is None


def test_nothing_is_known_of_a_week_before_the_first_stored_day_and_that_is_not_zero(
    school: School,
) -> None:
    sunday = DAY - dt.timedelta(days=3)
    school.load(sunday, [at("10:00", "ann", OK, back=3)])
    school.compute(sunday, "weeks", "courses")
    [week], [day] = school.rows("weeks", sunday), school.rows("courses", sunday)
    before = {name for name in week if name.endswith("_before")}
    assert len(before) == 5
    assert {week[name] for name in before} == {None}
    assert day["learners_before"] is day["attempts_before"] is None
    # A day of it without attempts is known.
    school.load(sunday - dt.timedelta(days=7), [])
    school.compute(sunday, "weeks", "courses")
    [week], [day] = school.rows("weeks", sunday), school.rows("courses", sunday)
    assert (week["learners_before"], week["submits_before"]) == (0, 0)
    assert (day["learners_before"], day["attempts_before"]) == (0, 0)

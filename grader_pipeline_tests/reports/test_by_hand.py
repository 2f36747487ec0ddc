"""Every column of the reports on days, hours, courses and tasks, worked out by hand."""

import datetime as dt
from decimal import Decimal as D  # noqa: N817 - the numbers are to be seen, not the type

import pytest

from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import (
    COURSE,
    DAY,
    OK,
    OTHER,
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
        "active_users_7": 6,  # today's six; the day a week ago is the eighth
        "active_users_28": 6,
        "attempts_per_user": D("1.7"),  # 10 / 6
        "median_attempts_per_user": D("1.0"),  # 1 1 1 1 3 3
        "submits_per_user": D("1.2"),  # 6 / 5
        "median_submits_per_user": D("1.0"),  # 1 1 1 1 2
        "runs_per_user": D("1.3"),  # 4 / 3
        "median_runs_per_user": D("1.0"),  # 1 1 2
        "busiest_hour": 10,  # 10:00 twice, 10:06, 10:30, 10:45
        "first_attempt_hour": D("0.00"),
        "last_attempt_hour": D("15.50"),
        "submits_to_day_before": D("50.0"),  # 6 against 4
        "submits_to_week_before": D("200.0"),  # 6 against 2
        "successes_to_day_before": D("100.0"),  # 4 against 2
        "successes_to_week_before": D("300.0"),  # 4 against 1
        "users_to_day_before": D("100.0"),  # 6 against 3
        "users_to_week_before": D("500.0"),  # 6 against 1
    }.items())  # fmt: skip
    assert [line["label"] for line in lines[:3]] == [
        "Количество попыток (submit)",
        "Количество успешных попыток (submit)",
        "Количество уникальных юзеров",
    ]
    shares = [line["label"] for line in lines if line["metric"].endswith(("share", "before"))]
    assert all("%" in label and " от " in label for label in shares)


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
    }
    assert only(rows, course=OTHER) == {
        "learners": 1, "submitting_learners": 0, "tasks": 1, "attempts": 1, "runs": 1,
        "submits": 0, "successes": 0, "wrong_submits": 0, "success_share": None,
        "first_try_learners": 0, "first_try_share": None, "learners_before": 0,
        "attempts_before": D("0.0"), "attempts_change": None, "success_share_before": None,
    }  # fmt: skip


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
        "first_submitters": 2,  # dan eve
        "first_submit_share": D("50.0"),
        "runs_before_submit": D("1.0"),  # dan 2, eve 0
        "first_solvers": 3,  # bob cat dan; ann had solved it
        "submits_until_solved": D("2.0"),  # bob 3 (one of them yesterday), cat 2, dan 1
        "median_submits_until_solved": D("2.0"),
        # bob 25: yesterday 5 from his run on, the night is not work, today 20. dan 30.
        # cat never ran it. Between 25 and 30 lies 27.5.
        "minutes_until_solved": D("27.5"),
    }
    assert only(rows, course=COURSE, task=X, period="всё время") == {
        "place": 3,
        "learners": 5,
        "submitted": 5,
        "solved": 4,
        "never_solved": 1,
        "solved_share": D("80.0"),
        "difficulty_rank": 1,
        "first_submitters": 5,
        "first_submit_share": D("20.0"),  # dan; ann, bob and cat were wrong first
        "runs_before_submit": D("0.6"),  # bob 1, dan 2, the others 0
        "first_solvers": 4,
        "submits_until_solved": D("2.0"),  # ann 2, bob 3, cat 2, dan 1
        "median_submits_until_solved": D("2.0"),
        "minutes_until_solved": D("27.5"),
    }
    assert only(rows, course=OTHER, task=Y, period="28 дней") == {
        "place": 2, "learners": 1, "submitted": 0, "solved": 0, "never_solved": 1,
        "solved_share": None, "difficulty_rank": None, "first_submitters": 0,
        "first_submit_share": None, "runs_before_submit": None, "first_solvers": 0,
        "submits_until_solved": None, "median_submits_until_solved": None,
        "minutes_until_solved": None,
    }  # fmt: skip


def test_the_harder_task_is_first_among_its_course(school: School) -> None:
    school.load(DAY, [at("10:00", "ann", OK), at("10:05", "ann", WRONG, Y), at("10:06", "bob", OK)])
    school.compute(DAY, "tasks")
    rows = [row for row in school.rows("tasks") if row["period"] == "день"]
    assert {row["task"]: row["difficulty_rank"] for row in rows} == {X: 2, Y: 1}

"""Every kind of mail, as it would be of the days that a database has.

For the pictures of the papers, and for tests in a browser.
"""

import base64
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from grader_pipeline.asset_names import RAW_ATTEMPTS
from grader_pipeline.mail import attention, courses, daily, failure, weekly
from grader_pipeline.mail.check_warnings import CheckWarning
from grader_pipeline.mail.digest import FailedDays, Outcome, digest
from grader_pipeline.mail.letter import CHART_ID, Letter, write
from grader_pipeline.mail.message import Links, Message
from grader_pipeline.mail.run_outcome import FailureCause
from grader_pipeline.reports.day_metrics import (
    Changes,
    DayReport,
    MetricChange,
    read_day,
    read_main_numbers,
)
from grader_pipeline.reports.definition import OTHERS
from grader_pipeline.reports.units import Unit
from grader_pipeline.resources.postgres import Connection

LINKS = Links(
    "Агрегированные данные за день",
    "https://docs.google.com/spreadsheets/d/1",
    "https://dagster.example/runs/0a1b2c3d",
)
CAUSE = FailureCause(
    RAW_ATTEMPTS,
    "The API at https://grader.example answers 503 Service Unavailable. It was asked 3 "
    "times in 2 minutes. Ask its owners, and run the day again.",
    "0a1b2c3d4e5f",
    may_pass=True,
)


def letters(db: Connection, day: dt.date) -> dict[str, Letter]:
    """A letter of each kind about ``day`` and the days before, by the kind."""
    return {kind: write(message) for kind, message in messages(db, day)}


def messages(db: Connection, day: dt.date) -> Iterator[tuple[str, Message]]:
    """A message of each kind. What has no source in the database is made up."""
    report = read_day(db, day)
    shown = attention.Shown(db, day)
    courses_of_day = known_courses(db, day)
    warnings = attention.of_day(shown, _warnings(report, courses_of_day))
    yield "daily", daily.ready(report, warnings, [], LINKS)
    yield "quiet day", daily.ready(report, [], [day - dt.timedelta(days=1)], LINKS)
    yield "changed", daily.changed(changes(db, day), [], LINKS)
    yield "courses", courses.ready(db, day, courses_of_day[:2], [], LINKS)
    figures = courses.read_figures(db, [day], courses_of_day[:1])[day]
    fewer = {course: (_a_little_fewer(now), now) for course, now in figures.items()}
    yield "courses changed", courses.changed(db, {day: fewer}, LINKS)
    days = [day - dt.timedelta(days=back) for back in range(9, -1, -1)]
    figures_of_days = courses.read_figures(db, days, courses_of_day[:2])
    yield "courses backfill", courses.digest(db, figures_of_days, courses_of_day[:2], [], LINKS)
    sunday = day - dt.timedelta(days=day.isoweekday() % 7)
    yield "weekly", weekly.weekly(db, sunday, [], LINKS)
    yield "failure", failure.failed([day], CAUSE, LINKS)
    yield "recovered", failure.recovered([day], LINKS)
    numbers = read_main_numbers(db, days)
    yield "backfill", digest(numbers, Outcome(reported=days), {}, [], LINKS)
    outcome = Outcome(reported=days[4:], failed=[FailedDays(days[:2], CAUSE)], not_run=days[2:4])
    yield (
        "backfill with trouble",
        digest(numbers, outcome, changes(db, day), [], LINKS, to_owners=True),
    )


def _warnings(report: DayReport, courses_of_day: list[str]) -> tuple[CheckWarning, ...]:
    """Warnings of the day's checks that its figures do not contradict."""
    counts = {metric.metric: int(metric.value or 0) for metric in report.metrics}
    attempts = counts.get("attempts", 1207)
    return (
        CheckWarning(
            "usual_volume", {"attempts": attempts, "median of the weekday": attempts * 2.4}
        ),
        CheckWarning("few_rejected", {"share": 0.073}),
        CheckWarning("courses_have_outcome_urls", {"courses": courses_of_day[-1:], "not named": 0}),
    )


def _a_little_fewer(now: courses.Figures) -> courses.Figures:
    submits, successes = int(now["submits"] or 0) - 2, int(now["successes"] or 0) - 1
    share = round(Decimal(100) * successes / submits, 1)
    return {**now, "submits": submits, "successes": successes, "success_share": share}


def known_courses(db: Connection, day: dt.date) -> list[str]:
    """The courses of the day that are shown, the largest first."""
    lines = attention.Shown(db, day).lines("courses")
    lines.sort(key=lambda line: -(line["learners"] or 0))
    return [line["course"] for line in lines if line["course"] not in {OTHERS, "не распознан"}]


def changes(db: Connection, day: dt.date) -> Changes:
    """What has changed if an earlier mail said a little less of the day's counts."""
    return {
        day: [
            MetricChange(metric.label, metric.unit, before, metric.text, metric.value, metric.text)
            for metric in read_day(db, day).metrics
            if metric.unit == Unit.COUNT
            and metric.value
            and (before := round(metric.value * Decimal("0.97"))) != metric.value
        ]
    }


def as_page(letter: Letter) -> str:
    """The letter's HTML with its picture in it, for a browser."""
    if letter.chart is None:
        return letter.html
    data = base64.b64encode(letter.chart).decode()
    return letter.html.replace(f"cid:{CHART_ID}", f"data:image/png;base64,{data}")

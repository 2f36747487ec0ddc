"""What somebody should look at, in sentences: of a day's checks, its tasks and its courses.

Source: what reports show (``reports/privacy.py``), and the checks of the day's run. A course is
compared with itself: its attempts with those of the same weekday of the week before, its share with
that of the seven days before.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from grader_pipeline.mail.check_warnings import CheckWarning
from grader_pipeline.mail.words import attention as words
from grader_pipeline.mail.words import checks as check_words
from grader_pipeline.reports.day_metrics import Accounting
from grader_pipeline.reports.definition import OTHERS, Report, ReportError, Row
from grader_pipeline.reports.names import Names, read_names, shown_name
from grader_pipeline.reports.privacy import read_shown
from grader_pipeline.reports.report_files import read_report
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import SQL

_WEEK = dt.timedelta(days=7)
_MOST = 3
"""Courses and tasks that are named, of a kind."""
_FALLEN = 0.5
"""A course has fallen if it has under half of its attempts of a week before."""
_FALLEN_POINTS = 15
"""Or if its share of successful submits is lower by so many points than in the week before."""
_LEAST_BEFORE = 20
"""Learners that a course had. Of fewer, chance alone halves the attempts."""
_LEAST_SUBMITTING = 10
"""Learners behind a share. Of fewer, chance alone lowers it as much."""


@dataclass(frozen=True)
class Shown:
    """The lines that reports show of a day, of all courses or of some, with the courses' ids."""

    db: Connection
    day: dt.date
    courses: Collection[str] | None = None

    def lines(self, report: str, days: int = 1) -> list[Row]:
        """The lines of a report, the newest day first. None if there is no such report."""
        if (found := _report(report)) is None:
            return []
        rows = read_shown(self.db, found, until=self.day, days=days)
        return [row for row in rows if self.courses is None or row["course"] in self.courses]

    def name(self, course: str, task: str | None = None) -> str:
        """What readers see of a course, or of a task of it."""
        return shown_name(self._names, course, task)

    @cached_property
    def _names(self) -> Names:
        return read_names(self.db)


@cache
def _report(name: str) -> Report | None:
    """One of our own reports. To read them all would take each mail a tenth of a second."""
    try:
        return read_report(SQL / "reports" / f"{name}.sql")
    except (ReportError, FileNotFoundError):  # the run says what is wrong with a report's file
        return None


def of_day(
    shown: Shown, checks: Sequence[CheckWarning], ledger: Accounting | None = None
) -> list[str]:
    """What to look at in a day, the most important first. ``checks`` are those of its run."""
    by_place = sorted(checks, key=lambda warning: check_words.place(warning.check))
    return [
        *of_tasks(shown),
        *of_courses(shown),
        *(check_words.sentence(*warning, ledger, shown.name) for warning in by_place),
    ]


def of_tasks(shown: Shown) -> Iterator[str]:
    """Tasks whose tests may be broken, and those that nobody has solved."""
    lines = [line for line in shown.lines("broken_tasks") if line["task"] != OTHERS]
    broken = [line for line in lines if line["expected_share"] is not None]
    for line in sorted(broken, key=lambda line: -line["learners"])[:_MOST]:
        yield words.broken_task(
            _task(shown, line),
            line["learners"],
            line["success_share"],
            line["success_share_before"],
        )
    never = [line for line in lines if line["expected_share"] is None]
    never.sort(key=lambda line: -line["learners"])
    if never:
        tasks = [(_task(shown, line), line["learners"]) for line in never[:_MOST]]
        yield words.never_solved(tasks, len(never) - len(tasks))


def of_courses(shown: Shown) -> Iterator[str]:
    """Courses whose attempts or share of successful submits fell."""
    lines = shown.lines("courses", days=8)
    now = {line["course"]: line for line in lines if line["report_date"] == shown.day}
    before = {line["course"]: line for line in lines if line["report_date"] == shown.day - _WEEK}
    found: list[tuple[int, str]] = []
    for course, then in before.items():
        if course != OTHERS and then["learners"] >= _LEAST_BEFORE:
            # The merged line has a course that is not shown, perhaps with others.
            line = now.get(course) or now.get(OTHERS)
            if (
                line
                and line["attempts"] is not None
                and line["attempts"] < _FALLEN * then["attempts"]
            ):
                said = words.fewer_attempts if course in now else words.at_most_attempts
                text = said(shown.name(course), line["attempts"], then["attempts"])
                found.append((then["learners"], text))
    for course, line in now.items():
        share, usual = line["success_share"], line["success_share_before"]
        is_known = course != OTHERS and None not in (share, usual)
        if (
            is_known
            and line["submitting_learners"] >= _LEAST_SUBMITTING
            and usual - share >= _FALLEN_POINTS
        ):
            text = words.lower_share(shown.name(course), share, usual)
            found.append((line["learners"], text))
    found.sort(key=lambda pair: -pair[0])
    yield from (text for _, text in found[:_MOST])
    if len(found) > _MOST:
        yield words.more_courses(len(found) - _MOST)


def of_learners(shown: Shown) -> Iterator[str]:
    """The courses with most learners who need help, and their states."""
    found: dict[str, list[tuple[str, int]]] = {}
    for line in shown.lines("attention"):
        if OTHERS not in (line["course"], line["state"]) and line["learners"]:
            found.setdefault(line["course"], []).append((line["state"], line["learners"]))
    courses = sorted(found, key=lambda course: -max(count for _, count in found[course]))
    for course in courses[:_MOST]:
        yield words.need_help(shown.name(course), found[course])


def _task(shown: Shown, line: dict[str, Any]) -> str:
    course, task = line["course"], line["task"]
    return words.task(shown.name(course, task), shown.name(course))

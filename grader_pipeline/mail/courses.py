"""What the mail to somebody of MAIL_COURSES says: the figures of their courses, and no others.

Source: the lines that reports show (``reports/privacy.py``), so the same rule holds: a course
without a line of its own has no figures here either.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal

from grader_pipeline.mail import attention
from grader_pipeline.mail.digest import MOST_DAYS
from grader_pipeline.mail.figures import figure
from grader_pipeline.mail.message import Figure, Links, Message, Part, Table
from grader_pipeline.mail.words import attention as attention_words
from grader_pipeline.mail.words import courses as words
from grader_pipeline.mail.words import days as day_words
from grader_pipeline.mail.words import general
from grader_pipeline.reports.definition import OTHERS, Row
from grader_pipeline.reports.russian import number, short_date, shown
from grader_pipeline.reports.units import Unit, cell
from grader_pipeline.resources.postgres import Connection

_MOST_CHANGED_DAYS = 7
_WEEK = dt.timedelta(days=7)
_FIGURES = (
    ("submits", words.ATTEMPTS, Unit.COUNT),
    ("successes", words.SUCCESSES, Unit.COUNT),
    ("success_share", words.SHARE, Unit.PERCENT),
    ("learners", words.LEARNERS, Unit.COUNT),
)


Figures = dict[str, Decimal | int | None]
"""Column -> value. All of a course without a line of its own are None."""


def read_figures(
    db: Connection, days: Collection[dt.date], courses: Collection[str]
) -> dict[dt.date, dict[str, Figures]]:
    """The figures of some courses, by day and id, as a mail shows them now."""
    if not days:
        return {}
    span = (max(days) - min(days)).days + 1
    found = attention.Shown(db, max(days), courses).lines("courses", span)
    lines = {(line["report_date"], line["course"]): line for line in found}
    return {
        day: {
            course: {column: lines.get((day, course), {}).get(column) for column, _, _ in _FIGURES}
            for course in courses
        }
        for day in days
    }


def ready(
    db: Connection,
    day: dt.date,
    courses: Sequence[str],
    waiting: Sequence[dt.date],
    links: Links,
) -> Message:
    """The day's figures of some courses, by id, beside the same weekday of the week before."""
    of_day = attention.Shown(db, day, courses)
    lines = {(each["report_date"], each["course"]): each for each in of_day.lines("courses", 8)}
    sentence = words.ready([day], len(courses))
    states = [line for line in of_day.lines("attention") if line["course"] in courses]
    return Message(
        subject=words.subject([day]),
        preheader=sentence,
        greeting=general.GREETING,
        sentence=sentence,
        link=links.sheet,
        warnings=(*attention.of_tasks(of_day), *attention.of_courses(of_day)),
        parts=tuple(
            _part(of_day, course, [lines.get((on, course)) for on in (day, day - _WEEK)], states)
            for course in courses
        ),
        notes=(general.waiting(waiting),) if waiting else (),
    )


def digest(
    db: Connection,
    figures: Mapping[dt.date, Mapping[str, Figures]],
    courses: Sequence[str],
    waiting: Sequence[dt.date],
    links: Links,
) -> Message:
    """The figures of some courses, by id, on several days: those of ``read_figures``."""
    days = sorted(figures)
    sentence = words.ready(days, len(courses))
    newest = days[::-1][:MOST_DAYS]
    more = (day_words.more_days(len(days) - len(newest)),) if len(days) > len(newest) else ()
    is_partial = any(figures[day][each]["learners"] is None for day in newest for each in courses)
    notes = [words.NOT_SHOWN] if is_partial else []
    notes += [general.waiting(waiting)] if waiting else []
    name = attention.Shown(db, days[-1]).name
    return Message(
        subject=words.subject(days),
        preheader=sentence,
        greeting=general.GREETING,
        sentence=sentence,
        link=links.sheet,
        parts=tuple(
            Part(
                name(course),
                more,
                Table(
                    words.BY_DAY,
                    tuple((short_date(day), *_counts(figures[day][course])) for day in newest),
                ),
            )
            for course in courses
        ),
        notes=tuple(notes),
    )


def _counts(of_day: Figures) -> Iterator[str]:
    for column, _, unit in _FIGURES:
        if unit == Unit.COUNT:
            yield shown(cell(of_day[column], unit, None))


def changed(
    db: Connection, changes: Mapping[dt.date, Mapping[str, tuple[Figures, Figures]]], links: Links
) -> Message:
    """Figures of some courses are others than the last mail said: before and now, by day."""
    days = list(changes)
    sentence = words.changed(days)
    return Message(
        subject=words.changed_subject(days),
        preheader=sentence,
        greeting=general.GREETING,
        sentence=sentence,
        link=links.sheet,
        parts=tuple(
            Part(
                words.course_of_day(attention.Shown(db, day).name(course), day),
                table=Table(("", day_words.BEFORE, day_words.NOW), tuple(_rows(*figures))),
            )
            for day, courses in list(changes.items())[:_MOST_CHANGED_DAYS]
            for course, figures in courses.items()
        ),
    )


def _rows(before: Figures, now: Figures) -> Iterator[tuple[str, ...]]:
    for column, label, unit in _FIGURES:
        if before[column] != now[column]:
            yield label, *(shown(cell(each[column], unit, None)) for each in (before, now))


def _part(
    of_day: attention.Shown, course: str, lines: Sequence[Row | None], states: Sequence[Row]
) -> Part:
    """``lines`` are those of the day and of a week before."""
    name, (now, before) = of_day.name(course), lines
    if now is None:
        return Part(name, (words.not_shown(name),))
    rows = tuple(
        (attention_words.state(state["state"]), number(state["learners"]))
        for state in states
        if state["course"] == course and state["state"] != OTHERS and state["learners"]
    )
    figures = tuple(_figures(now, before, of_day.day))
    return Part(name, figures=figures, table=Table((words.NEED_HELP, ""), rows) if rows else None)


def _figures(line: Row, before: Row | None, day: dt.date) -> Iterator[Figure]:
    against = short_date(day - _WEEK)
    for column, label, unit in _FIGURES:
        yield figure(label, line[column], unit, (before or {}).get(column), against)

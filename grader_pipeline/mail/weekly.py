"""The weekly mail: a week beside the week before, by course, with what improved and what did not.

Source: daily_metrics, and what the reports ``weeks``, ``attention`` and ``broken_tasks`` show.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal

from grader_pipeline import partitions
from grader_pipeline.mail import attention, daily, outbox
from grader_pipeline.mail.addressing import colleagues
from grader_pipeline.mail.figures import arrow, figure, percent
from grader_pipeline.mail.message import Figure, Links, Message, Part, Table
from grader_pipeline.mail.words import general
from grader_pipeline.mail.words import weeks as words
from grader_pipeline.reports.day_metrics import days_that_wait, read_day, read_metrics
from grader_pipeline.reports.definition import OTHERS, Row
from grader_pipeline.reports.russian import shown
from grader_pipeline.reports.units import Percent, Unit
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement

_DAYS = 7
_COMPARED = 2
"""The level of a week when all days of both weeks are known."""
_LATEST = 6
"""How many days after its Sunday a week is still mailed."""
_MOST_COURSES = 10
_MOST_NAMED = 3
_LEAST = 10
"""Learners behind a comparison, in both weeks."""
_POINTS = 5
_SHARE = Decimal("0.2")
"""A course has more or fewer learners if a fifth came or went."""

_SUBMITS, _SUCCESSES, _LEARNERS = "submits", "successful_submits", "active_users_7"


def enqueue(
    db: Connection,
    candidate: str,
    days: Collection[dt.date],
    unfinished: Collection[dt.date],
    links: Links,
) -> None:
    """Enqueue the mails of the weeks to which ``days`` belong: those reported.

    A week is mailed when its Sunday is reported. If days were missing then, it is mailed again when
    all of the week are there, and when all of the week before are.
    """
    sundays = {day + dt.timedelta(days=_DAYS - day.isoweekday()) for day in days}
    sundays |= {sunday + dt.timedelta(days=_DAYS) for sunday in sundays}
    for sunday in sorted(sundays):
        if (partitions.today() - sunday).days > _LATEST:
            continue
        # From the least that is known of the two weeks to the most.
        keys = [f"weekly:{sunday}:part", f"weekly:{sunday}:alone", f"weekly:{sunday}"]
        level = _level(_known_days(db, sunday))
        known = {"keys": keys}
        mailed = [row["key"] for row in db.execute(statement("mail/known_keys"), known).fetchall()]
        before = max((keys.index(key) for key in mailed), default=-1)
        if level > before and (mailed or sunday in days):
            waiting = days_that_wait(db, [sunday], unfinished)
            outbox.enqueue(
                db,
                weekly(db, sunday, waiting, links, is_again=bool(mailed)),
                key=keys[level],
                candidate=candidate,
                to=colleagues(),
                report_date=sunday,
            )


def weekly(
    db: Connection,
    sunday: dt.date,
    waiting: Sequence[dt.date],
    links: Links,
    *,
    is_again: bool = False,
) -> Message:
    """The week that ends with ``sunday``.

    ``is_again``: it was mailed before, when days of it or of the week before were missing.
    """
    monday = sunday - dt.timedelta(days=_DAYS - 1)
    of_day = attention.Shown(db, sunday)
    lines = [line for line in of_day.lines("weeks") if line["course"] != OTHERS]
    lines.sort(key=lambda line: (-line["learners"], line["course"]))
    known = _known_days(db, sunday)
    is_whole, is_compared = known[0] == _DAYS, _level(known) == _COMPARED
    figures = _totals(db, sunday, compare=is_compared)
    better, worse = [], []
    if is_compared:
        better, worse = list(_changes(of_day, lines, 1)), list(_changes(of_day, lines, -1))
    sentence = words.week(monday, sunday, len(lines), *known)
    if is_again:
        sentence += f" {words.AGAIN}"
    parts = [Part(words.IMPROVED, tuple(better))] if better else []
    if lines:
        rows = tuple(_row(of_day, line, compare=is_compared) for line in lines[:_MOST_COURSES])
        more = len(lines) - len(rows)
        below = (words.more_courses(more),) if more else ()
        parts.append(Part(words.COURSES, below, Table(words.HEAD, rows, is_wide=True)))
    preheader = ", ".join(f"{each.label}: {each.value}" for each in figures)
    return Message(
        subject=words.subject(monday, sunday, known[0]),
        preheader=preheader if preheader and is_whole else sentence,
        greeting=general.GREETING,
        sentence=sentence,
        link=links.sheet,
        figures=tuple(figures),
        picture=daily.picture(read_day(db, sunday).history, sunday),
        warnings=(*worse, *attention.of_tasks(of_day), *attention.of_learners(of_day)),
        parts=tuple(parts),
        notes=(general.waiting(waiting),) if waiting else (),
        run_url=links.run_url,
    )


def _two_weeks(sunday: dt.date) -> tuple[list[dt.date], list[dt.date]]:
    """The days of the week, and those of the week before, the newest first."""
    days = [sunday - dt.timedelta(days=back) for back in range(2 * _DAYS)]
    return days[:_DAYS], days[_DAYS:]


def _known_days(db: Connection, sunday: dt.date) -> tuple[int, int]:
    """How many days of the week, and of the week before, have metrics."""
    week, before = _two_weeks(sunday)
    given = {"days": [*week, *before]}
    rows = db.execute(statement("mail/days_with_metrics"), given).fetchall()
    known = {row["report_date"] for row in rows}
    return len(known.intersection(week)), len(known.intersection(before))


def _level(known: tuple[int, int]) -> int:
    """0 if days of the week are missing, 1 if only days of the week before are, else 2."""
    if known[0] < _DAYS:
        return 0
    return _COMPARED if known[1] == _DAYS else 1


def _totals(db: Connection, sunday: dt.date, *, compare: bool) -> list[Figure]:
    """The school's week."""
    weeks = _two_weeks(sunday)
    found = read_metrics(db, [*weeks[0], *weeks[1]], (_SUBMITS, _SUCCESSES, _LEARNERS))
    submits, before = (_sum(found.get(_SUBMITS, {}), week) for week in weeks)
    successes, successes_before = (_sum(found.get(_SUCCESSES, {}), week) for week in weeks)
    learners, learners_before = (found.get(_LEARNERS, {}).get(week[0]) for week in weeks)
    if not compare:
        before = successes_before = learners_before = None
    shares = percent(successes, submits), percent(successes_before, before)
    given = (
        (words.SUBMITS, submits, Unit.COUNT, before),
        (words.SUCCESSES, successes, Unit.COUNT, successes_before),
        (words.SHARE, shares[0], Unit.PERCENT, shares[1]),
        (words.LEARNERS, learners, Unit.COUNT, learners_before),
    )
    return [
        figure(label, value, unit, earlier, words.BEFORE)
        for label, value, unit, earlier in given
        if value is not None
    ]


def _sum(values: Mapping[dt.date, Decimal | None], days: Collection[dt.date]) -> Decimal | None:
    known = [value for day in days if (value := values.get(day)) is not None]
    return sum(known, Decimal(0)) if known else None


def _row(of_day: attention.Shown, line: Row, *, compare: bool) -> tuple[str, ...]:
    """A course's learners, submits and share of successful ones, each with its change."""
    pairs = [
        (line[column], line[f"{column}_before"] if compare else None, unit)
        for column, unit in (
            ("learners", Unit.COUNT), ("submits", Unit.COUNT), ("success_share", Unit.PERCENT)
        )
    ]  # fmt: skip
    return of_day.name(line["course"]), *(arrow(*pair) for pair in pairs)


def _changes(of_day: attention.Shown, lines: Sequence[Row], sign: int) -> Iterator[str]:
    """What has become more (1) or less (-1) in courses, the largest courses first."""
    found = 0
    for line in lines:
        course = of_day.name(line["course"])
        now, before = line["success_share"], line["success_share_before"]
        fewest = min(line["submitting_learners"], line["submitting_before"] or 0)
        is_known = None not in (now, before) and fewest >= _LEAST
        if is_known and sign * (now - before) >= _POINTS:
            yield words.share(course, shown(Percent(now)), shown(Percent(before)))
            found += 1
        now, before = line["learners"], line["learners_before"] or 0
        if before >= _LEAST and sign * (now - before) >= _SHARE * before:
            said = words.more_learners if sign > 0 else words.fewer_learners
            yield said(course, now, before)
            found += 1
        if found >= _MOST_NAMED:
            return

"""The mails to those of MAIL_COURSES: a day's report, and later what changed of it.

The days of a backfill are one mail. What they were mailed is in the table mailed_course. It changes
in the transaction that enqueues the mails. A day that they were not mailed is not called changed.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Sequence

from grader_pipeline.mail import courses, outbox
from grader_pipeline.mail.addressing import course_readers
from grader_pipeline.mail.courses import Figures
from grader_pipeline.mail.message import Links
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.reports.day_metrics import days_that_wait
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement


def enqueue_reports(
    db: Connection,
    candidate: str,
    days: Sequence[dt.date],
    unfinished: Collection[dt.date],
    links: Links,
) -> None:
    """Enqueue a mail to each reader about each of ``days``."""
    for day in days:
        waiting = days_that_wait(db, [day], unfinished)
        for mailbox, theirs in course_readers():
            outbox.enqueue(
                db,
                courses.ready(db, day, theirs, waiting, links),
                key=f"courses:{day}:{candidate}:{_short(mailbox)}",
                candidate=candidate,
                to=[mailbox],
                report_date=day,
            )
    for day, figures in courses.read_figures(db, days, _courses()).items():
        _remember(db, day, figures)


def enqueue_digest(
    db: Connection,
    candidate: str,
    days: Collection[dt.date],
    unfinished: Collection[dt.date],
    links: Links,
) -> None:
    """Enqueue one mail to each reader about those of ``days`` that they were not mailed."""
    new = sorted(set(days) - _mailed(db, days).keys())
    if len(new) <= 1:
        enqueue_reports(db, candidate, new, unfinished, links)
        return
    found = courses.read_figures(db, new, _courses())
    waiting = days_that_wait(db, new, unfinished)
    for mailbox, theirs in course_readers():
        outbox.enqueue(
            db,
            courses.digest(db, found, theirs, waiting, links),
            key=f"courses_digest:{candidate}:{_short(mailbox)}",
            candidate=candidate,
            to=[mailbox],
        )
    for day, figures in found.items():
        _remember(db, day, figures)


def enqueue_changes(db: Connection, candidate: str, days: Iterable[dt.date], links: Links) -> None:
    """Enqueue one mail to each reader for whose courses figures of ``days`` changed."""
    changes = note_changes(db, days)
    for mailbox, theirs in course_readers():
        own = {
            day: {each: found[each] for each in theirs if each in found}
            for day, found in changes.items()
        }
        if own := {day: found for day, found in own.items() if found}:
            outbox.enqueue(
                db,
                courses.changed(db, own, links),
                key=f"courses_changed:{candidate}:{_short(mailbox)}",
                candidate=candidate,
                to=[mailbox],
                report_date=next(iter(own)) if len(own) == 1 else None,
            )


def note_changes(
    db: Connection, days: Iterable[dt.date]
) -> dict[dt.date, dict[str, tuple[Figures, Figures]]]:
    """Readers know the figures of ``days`` as they are now. Returns those that changed, by course.

    Figures before and now, the newest day first.
    """
    changes = {}
    mailed = _mailed(db, days)
    figures = courses.read_figures(db, mailed, _courses())
    for day, known in sorted(mailed.items(), reverse=True):
        now = {each: found for each, found in figures[day].items() if each in known}
        if found := {each: (known[each], now[each]) for each in now if known[each] != now[each]}:
            changes[day] = found
            _remember(db, day, now)
    return changes


def _courses() -> list[str]:
    return sorted({course for _, theirs in course_readers() for course in theirs})


def _mailed(db: Connection, days: Iterable[dt.date]) -> dict[dt.date, dict[str, Figures]]:
    """What was mailed, by day and course. A day that was not mailed is not there."""
    found: dict[dt.date, dict[str, Figures]] = {}
    for row in db.execute(statement("mail/course_figures"), {"days": list(days)}).fetchall():
        of_day = found.setdefault(row["report_date"], {})
        of_day.setdefault(row["course"], {})[row["figure"]] = row["value"]
    return found


def _remember(db: Connection, day: dt.date, figures: dict[str, Figures]) -> None:
    rows = [
        {"report_date": day, "course": course, "figure": column, "value": value}
        for course, values in figures.items()
        for column, value in values.items()
    ]
    if rows:
        db.cursor().executemany(statement("mail/remember_course_figures"), rows)


def _short(mailbox: Mailbox) -> str:
    """A part of a key that is the same for the same address, and does not show it."""
    return hashlib.sha256(mailbox.address.encode()).hexdigest()[:8]

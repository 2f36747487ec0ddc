"""What the last mails said about each day: whether its report is ready, and its metrics.

The tables mailed_day and mailed_metric. They change in the transaction that enqueues the mails, so
they always agree with the outbox.
"""

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from grader_pipeline.reports.day_metrics import Changes, MetricChange
from grader_pipeline.reports.russian import DECIMALS
from grader_pipeline.reports.units import Unit
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement

_NUMBERS = {Unit.COUNT, Unit.NUMBER, Unit.PERCENT, Unit.CHANGE}
"""The units of metrics whose text, if they have one, says why there is no number."""


class Said(NamedTuple):
    """What the last mails said about a day.

    ``is_reported``: the last mail to colleagues said that the report is ready (True) or missing
    (False). None: no mail since mails are remembered said either. ``is_failed``: the owners read
    that the day failed or was not run, and not yet that its report is written.
    """

    is_reported: bool | None = None
    is_failed: bool = False


def said(db: Connection, days: Collection[dt.date]) -> dict[dt.date, Said]:
    """What the last mails said about ``days``, an entry for each."""
    rows = db.execute(statement("mail/mailed_days"), {"days": list(days)}).fetchall()
    known = {row["report_date"]: Said(row["is_reported"], row["is_failed"]) for row in rows}
    return {day: known.get(day, Said()) for day in days}


def changes(db: Connection, days: Collection[dt.date]) -> Changes:
    """The metrics of ``days`` that are other numbers than the last mail showed.

    A label that changed is no change, and a line that is new or gone is none. Nor is another text
    that says why there is no number.
    """
    given = {"days": list(days), "decimals": DECIMALS, "numbers": sorted(_NUMBERS)}
    found: Changes = {}
    for row in db.execute(statement("mail/changed_metrics"), given).fetchall():
        day = row.pop("report_date")
        found.setdefault(day, []).append(MetricChange(**row))
    return found


def note_reported(db: Connection, days: Collection[dt.date]) -> None:
    """Colleagues know that the reports of ``days`` are ready, and their metrics."""
    db.execute(statement("mail/note_reported"), {"days": list(days)})
    note_metrics(db, days)


def note_metrics(db: Connection, days: Collection[dt.date]) -> None:
    """Colleagues know the metrics of ``days`` as they are now."""
    db.execute(statement("mail/remember_metrics"), {"days": list(days)})


def note_missing(
    db: Connection, days: Collection[dt.date], *, to_colleagues: bool, is_failed: bool = True
) -> None:
    """The owners know that ``days`` failed, and colleagues that their reports are missing."""
    told = {"is_reported": False if to_colleagues else None, "is_failed": is_failed}
    db.execute(statement("mail/note_missing"), {"days": list(days), **told})


def end_episodes(db: Connection, days: Collection[dt.date]) -> list[dt.date]:
    """End the episodes of ``days``. Returns those that the owners knew as failed."""
    rows = db.execute(statement("mail/end_episodes"), {"days": list(days)}).fetchall()
    return sorted(row["report_date"] for row in rows)


def episode(db: Connection, day: dt.date) -> int:
    """The number of the day's episode, from 1."""
    row = db.execute(statement("mail/episode"), {"day": day}).fetchone()
    return int(row["value"]) if row else 1

"""Tables with a past: days that were loaded long ago."""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from grader_pipeline.partitions import SchoolDay, school_day
from grader_pipeline.reports.rollups import roll_up
from grader_pipeline.reports.stored_days import open_calendar
from grader_pipeline.statements import statement

_FILL = Path(__file__).with_name("sql") / "fill_day.sql"


def days_around(day: SchoolDay, *, before: int) -> list[SchoolDay]:
    """So many days before ``day``, the earliest first."""
    dates = (day.date - dt.timedelta(days=back) for back in range(before, 0, -1))
    return [school_day(date.isoformat()) for date in dates]


def fill(url: str, days: Sequence[SchoolDay], rows: int, *, tended: bool = True) -> None:
    """Give each of the days ``rows`` attempts, and roll them up as a load does.

    ``tended`` leaves the table as it is after years of care, otherwise as a load does.
    """
    with _connected(url) as db, _connected(url) as other, ThreadPoolExecutor(1) as ahead:
        with db.transaction():
            open_calendar(db)
        # The next day is inserted while one is rolled up.
        inserted = [ahead.submit(_insert, other, day, rows) for day in days]
        for place, (day, is_there) in enumerate(zip(days, inserted, strict=True), start=1):
            is_there.result()
            with db.transaction():
                roll_up(db, day)
            if place % 25 == 0:
                print(f"  filled {place} of {len(days)} days", flush=True)
        if tended:
            db.execute("VACUUM (ANALYZE)")


def _connected(url: str) -> psycopg.Connection:
    db = psycopg.connect(url, autocommit=True, row_factory=dict_row)
    db.execute("SET synchronous_commit = off")
    return db


def _insert(db: psycopg.Connection, day: SchoolDay, rows: int) -> None:
    with db.transaction():
        db.execute(statement("load/leave_no_marks"))
        db.execute(_FILL.read_bytes(), {"rows": rows, **day.parameters})

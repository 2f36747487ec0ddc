"""Tables with a past: days that were loaded long ago."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from grader_pipeline.partitions import SchoolDay, school_day
from grader_pipeline.reports.rollups import roll_up

_FILL = Path(__file__).with_name("sql") / "fill_day.sql"


def days_around(day: SchoolDay, *, before: int) -> list[SchoolDay]:
    """So many days before ``day``, the earliest first."""
    dates = (day.date - dt.timedelta(days=back) for back in range(before, 0, -1))
    return [school_day(date.isoformat()) for date in dates]


def fill(url: str, days: Sequence[SchoolDay], rows: int, *, tended: bool = True) -> None:
    """Give each of the days ``rows`` attempts.

    ``tended`` leaves the table as it is after years of care, otherwise as a load does.
    """
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as db:
        for place, day in enumerate(days, start=1):
            with db.transaction():
                db.execute(_FILL.read_bytes(), {"rows": rows, **day.parameters})
                roll_up(db, day)
            if place % 25 == 0:
                print(f"  filled {place} of {len(days)} days", flush=True)
        if tended:
            db.execute("VACUUM (ANALYZE)")

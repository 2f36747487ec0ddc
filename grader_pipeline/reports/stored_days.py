"""The days that the table grader holds, and those that somebody else than a load has changed.

A *stored day* has a line of the ledger or at least one attempt. How changes are noticed is in
sql/schema/130_changes_of_others.sql. A changed day is rolled up again by its next run, by that of
another day if there are few, by the job ``refresh``, or by ``grader-pipeline recompute``.

Source: grader, grader_load, grader_change, school_calendar. Times are UTC.
"""

import datetime as dt
import logging

from grader_pipeline.asset_names import GRADER_TABLE
from grader_pipeline.checks import StoredBefore
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import SchoolDay, today, window
from grader_pipeline.reports.definition import Row
from grader_pipeline.reports.records import outdate_records
from grader_pipeline.reports.rollups import roll_up
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

FEW_DAYS = 28
"""So many days at most are computed again in a run that is about another day."""


def open_calendar(db: Connection) -> None:
    """Compare the settings with the calendar that the rollups were computed with.

    The first load of a database writes the calendar, and marks the days whose attempts are not
    those of their rollup: another script, or release 0.2.0, may have left such days.

    Raises PermanentFailure if GRADER_TIMEZONE is another one now.
    """
    settings = Settings()
    if (known := stored_calendar(db)) and known["timezone"] != settings.grader_timezone:
        raise PermanentFailure(" ".join(calendar_notices(known)))
    given = {"timezone": settings.grader_timezone, "start_date": settings.grader_start_date}
    if db.execute(statement("load/open_calendar"), given).rowcount:
        marked = db.execute(statement("load/mark_unknown_days"), given).rowcount
        log.info("%d days of grader are to be rolled up", marked)


def stored_calendar(db: Connection) -> Row | None:
    """``timezone`` and ``start_date`` that the rollups were computed with. None before a load."""
    return db.execute(statement("load/calendar")).fetchone()


def calendar_notices(known: Row | None) -> list[str]:
    """What to do if the settings are not those of the stored calendar."""
    settings = Settings()
    if known is None:
        return []
    found = []
    if known["timezone"] != settings.grader_timezone:
        found.append(
            f"GRADER_TIMEZONE is {settings.grader_timezone}, and the stored days were computed "
            f"with {known['timezone']}. Run `grader-pipeline recompute` to compute all of them "
            "again, or set it back. Until then no day is loaded."
        )
    if known["start_date"] != settings.grader_start_date:
        found.append(
            f"GRADER_START_DATE is {settings.grader_start_date}, and the stored days were computed "
            f"with {known['start_date']}. Run `grader-pipeline recompute`: stored days from it on "
            "get a report, and reports of earlier days stay."
        )
    return found


def before_load(db: Connection, day: SchoolDay) -> StoredBefore:
    """Count the day's attempts, and take its marks: the transaction rolls the day up again."""
    # Marks first: a change that is committed in between is rolled up now and keeps its mark.
    marks = db.execute(statement("load/take_marks"), day.parameters).rowcount
    row = db.execute(statement("load/stored_before"), day.parameters).fetchone() or {}
    return StoredBefore(row["attempts"], row["remembered"], marks)


def changed_days(db: Connection) -> list[dt.date]:
    """The days, oldest first, that somebody else has changed since they were rolled up."""
    rows = db.execute(statement("load/changed_days"), {"today": today()}).fetchall()
    return [row["report_date"] for row in rows]


def mark_days(db: Connection, first: dt.date, last: dt.date) -> list[dt.date]:
    """Mark the stored days of a period as changed, by the calendar of the settings; give them.

    The calendar of the database becomes that of the settings.
    """
    settings = Settings()
    given = {"timezone": settings.grader_timezone, "start_date": settings.grader_start_date}
    db.execute(statement("load/set_calendar"), given)
    given |= {"first": first, "last": last}
    rows = db.execute(statement("load/mark_days"), given).fetchall()
    return [row["report_date"] for row in rows]


def roll_up_again(postgres: Postgres, date: dt.date) -> None:
    """Roll a day up out of grader. A day without ledger line and attempts is no stored day."""
    day = window(date)
    with postgres.transaction(lock=f"grader/{day.key}") as db:
        before_load(db, day)
        roll_up(db, day)
        db.execute(statement("load/forget_empty_day"), day.parameters)
        if date >= Settings().grader_start_date:
            outdate_records(db, [GRADER_TABLE], date)


def roll_up_changed_days(postgres: Postgres, *, at_most: int = FEW_DAYS) -> list[dt.date]:
    """Roll the changed days up again, oldest first. If they are more than ``at_most``: none."""
    with postgres.transaction() as db:
        days = changed_days(db)
    if len(days) > at_most:
        log.info("%d days of grader were changed; the job refresh rolls them up", len(days))
        return []
    for date in days:
        roll_up_again(postgres, date)
    return days

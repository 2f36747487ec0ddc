"""The school's calendar: which days there are, and which moments of UTC each of them covers.

A partition is one calendar day of GRADER_TIMEZONE, from GRADER_START_DATE to yesterday. The API
and the database use UTC, so a day is a half-open window of UTC. Example: Moscow is three hours
ahead, so the day 2023-05-31 begins at 2023-05-30 21:00:00 UTC and ends before 2023-05-31 21:00:00
UTC. A day with a change of the clock lasts 23 or 25 hours.
"""

import datetime as dt
import re
from dataclasses import dataclass

import dagster as dg

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.settings import Settings

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True)
class SchoolDay:
    """One partition: a calendar day of the school and its half-open window in UTC."""

    date: dt.date
    start: dt.datetime
    end: dt.datetime

    @property
    def parameters(self) -> dict[str, object]:
        """The day as SQL's parameters: ``day``, and its window as PostgreSQL's plain timestamps."""
        return {
            "day": self.date,
            "day_start": self.start.replace(tzinfo=None),
            "day_end": self.end.replace(tzinfo=None),
        }

    @property
    def key(self) -> str:
        """The partition key, ``YYYY-MM-DD``."""
        return self.date.isoformat()

    def api_window(self) -> dict[str, str]:
        """``start`` and ``end`` as the API takes them: text in UTC, both inclusive."""
        last = self.end - dt.timedelta(microseconds=1)
        return {
            "start": f"{self.start:%Y-%m-%d %H:%M:%S.%f}",
            "end": f"{last:%Y-%m-%d %H:%M:%S.%f}",
        }


def school_day(key: str, now: dt.datetime | None = None) -> SchoolDay:
    """The day of a partition key.

    Dagster does not check keys that come through GraphQL, and keys become parts of paths and
    queries. So every step that works on a day calls this first.

    Raises PermanentFailure for a key that is no date, a day before GRADER_START_DATE, or a day
    that has not ended at ``now``.
    """
    settings = Settings()
    if not _DAY.fullmatch(key):
        raise PermanentFailure(f"Partition {key!r} is not a day: write it as YYYY-MM-DD.")
    try:
        date = dt.date.fromisoformat(key)
    except ValueError as error:
        raise PermanentFailure(f"Partition {key!r} is not in the calendar.") from error
    if date < settings.grader_start_date:
        raise PermanentFailure(
            f"Day {key} lies before GRADER_START_DATE ({settings.grader_start_date}): "
            "set an earlier one to load it."
        )
    if date >= today(now):
        raise PermanentFailure(
            f"Day {key} has not ended in {settings.grader_timezone}: load it after midnight."
        )
    return window(date)


def window(date: dt.date) -> SchoolDay:
    """The window of any calendar day. Days before GRADER_START_DATE may have attempts too."""
    zone = Settings().timezone
    midnights = (
        dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
        for day in (date, date + dt.timedelta(days=1))
    )
    return SchoolDay(date, *midnights)


def school_date(moment: dt.datetime) -> dt.date:
    """The school's calendar day of a moment in UTC, as PostgreSQL's plain timestamp."""
    return moment.replace(tzinfo=dt.UTC).astimezone(Settings().timezone).date()


def today(now: dt.datetime | None = None) -> dt.date:
    """The school's calendar day at ``now``: the first that has not ended."""
    return (now or dt.datetime.now(dt.UTC)).astimezone(Settings().timezone).date()


def day_of(context: dg.AssetExecutionContext | dg.OutputContext | dg.InputContext) -> SchoolDay:
    """The day that this step works on.

    Raises PermanentFailure as :func:`school_day` does, and for a range of days: with several days
    in one run, one day's failure would fail the others. Each day is its own run.
    """
    if not context.has_partition_key:
        raise PermanentFailure(
            "This run names no single day. Choose one partition, or launch a backfill, "
            "which starts a run for each day."
        )
    return school_day(context.partition_key)


def days_partitions() -> dg.DailyPartitionsDefinition:
    """The days as Dagster's partitions."""
    settings = Settings()
    return dg.DailyPartitionsDefinition(
        start_date=settings.grader_start_date.isoformat(), timezone=settings.grader_timezone
    )

"""Which day a morning asks for, and when its report is late. Source: GRADER_SCHEDULE_TIME."""

import datetime as dt

from grader_pipeline.settings import Settings

MORNING = "morning"
"""The name of Dagster's schedule that asks for the day."""

LATEST = dt.timedelta(hours=1)
"""More than a day takes with every retry. The report is late afterwards."""


def newest_morning(settings: Settings, now: dt.datetime) -> dt.date:
    """The day that the newest morning until ``now`` asks for. ``now`` has a zone."""
    here = now.astimezone(settings.timezone)
    is_later = here.time() >= settings.grader_schedule_time
    return here.date() - dt.timedelta(days=1 if is_later else 2)

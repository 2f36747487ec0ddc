"""When a day is loaded: every morning, the day that has just ended.

The schedule runs by default only if a real API is set, so that trying the pipeline out loads
nothing. If the daemon was down in the morning, Dagster catches up: a tick a day, as many as
``max_catchup_runs`` of the instance allows.
"""

import datetime as dt

import dagster as dg

from grader_pipeline.mornings import LATEST, MORNING
from grader_pipeline.settings import Settings

_settings = Settings()


def _cron(time: dt.time) -> str:
    return f"{time.minute} {time.hour} * * *"


_deadline = dt.datetime.combine(dt.date.min, _settings.grader_schedule_time) + LATEST

sheet_freshness = dg.FreshnessPolicy.cron(
    deadline_cron=_cron(_deadline.time()),
    lower_bound_delta=LATEST,
    timezone=_settings.grader_timezone,
)
"""The sheet shows yesterday an hour after GRADER_SCHEDULE_TIME at the latest."""

ENDS = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
"""The statuses of runs that have ended."""

UNFINISHED = [status for status in dg.DagsterRunStatus if status not in ENDS]
"""The statuses of runs that wait or are under way."""

REFRESH_JOB = "refresh"
"""The job that computes waiting days again. It is for no day."""


day_job = dg.define_asset_job(
    "grader_day",
    selection=dg.AssetSelection.all(),
    description="One day, from the grader's API to the sheet.",
)


@dg.schedule(
    name=MORNING,
    job=day_job,
    cron_schedule=_cron(_settings.grader_schedule_time),
    execution_timezone=_settings.grader_timezone,
    default_status=dg.DefaultScheduleStatus("RUNNING" if _settings.has_real_api else "STOPPED"),
    description="Loads the day that has just ended.",
)
def morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for yesterday, by the clock of the tick: a tick caught up later asks for its own day."""
    tick = context.scheduled_execution_time.astimezone(_settings.timezone)
    yesterday = (tick.date() - dt.timedelta(days=1)).isoformat()
    return dg.RunRequest(run_key=yesterday, partition_key=yesterday)

"""Removes what is older than the settings keep: days' files, and Dagster's runs.

GRADER_KEEP_ANSWERS is about the answers, validated days and pictures of a day: afterwards the day
cannot be validated again, nor a figure of it followed back to its elements. Tables and reports
stay. GRADER_KEEP_RUNS is about finished runs, with their events, logs, and the ticks of schedules
and sensors.

Dagster removes materializations with their run, and would then show these days as missing. So the
newest materialization of an asset and a day is reported again first, without a run. The evaluations
of checks stay in Dagster.
"""

import datetime as dt
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from upath import UPath

from grader_pipeline.asset_names import SHEET_REPORT
from grader_pipeline.object_store import remove
from grader_pipeline.partitions import today
from grader_pipeline.reports.picture_files import picture_files
from grader_pipeline.schedule import ENDS
from grader_pipeline.settings import Settings
from grader_pipeline.storage import stored_files

log = logging.getLogger(__name__)

_AT_ONCE = 100
_HOURS_AFTER_THE_MORNING = 12
_settings = Settings()


def prune_files(*, dry_run: bool = False) -> int:
    """Remove the files of days older than GRADER_KEEP_ANSWERS; give their number.

    Raises what the storage raises. A file that is gone already is no error.
    """
    first = Settings().grader_keep_answers.before(today())
    old = [file for date, file in _files() if date < first]
    for file in old if not dry_run else []:
        remove(file)
    return len(old)


def prune_runs(instance: dg.DagsterInstance, *, dry_run: bool = False) -> int:
    """Remove the runs created before GRADER_KEEP_RUNS that have ended; give their number."""
    first = dt.datetime.combine(
        Settings().grader_keep_runs.before(today()), dt.time(), Settings().timezone
    )
    old = dg.RunsFilter(statuses=sorted(ENDS, key=str), created_before=first)
    if dry_run:
        return instance.get_runs_count(old)
    done = 0
    while records := instance.get_run_records(old, limit=_AT_ONCE, ascending=True):
        for record in records:
            _remove(instance, record.dagster_run.run_id)
        done += len(records)
    for state in instance.all_instigator_state():
        origin, selector = state.instigator_origin_id, state.selector_id
        instance.purge_ticks(origin, selector, before=first.timestamp())
    return done


def _files() -> Iterator[tuple[dt.date, UPath]]:
    yield from stored_files()
    yield from picture_files()


def _remove(instance: dg.DagsterInstance, run_id: str) -> None:
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    events = [
        record.event_log_entry.asset_materialization
        for record in instance.get_records_for_run(run_id, of_type=kind).records
    ]
    # A run may materialize an asset and a day twice. The order of the others stays.
    for asset, day in dict.fromkeys((e.asset_key, e.partition) for e in events if e):
        of_day = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[day] if day else None)
        (newest,) = instance.fetch_materializations(of_day, limit=1).records
        if newest.run_id == run_id and newest.asset_materialization:
            instance.report_runless_asset_event(newest.asset_materialization)
    # What a run of release 0.2.0 or earlier has printed.
    shutil.rmtree(Path(instance.storage_directory()) / run_id, ignore_errors=True)
    instance.delete_run(run_id)


@dg.op
def remove_old_files_and_runs(context: dg.OpExecutionContext) -> None:
    """Remove old files and runs, and say how many."""
    files = prune_files()
    runs = prune_runs(context.instance)
    context.add_output_metadata({"files": files, "runs": runs})
    log.info("prune: %d files and %d runs removed", files, runs)


@dg.job(
    name="prune",
    description="Removes files and runs older than GRADER_KEEP_ANSWERS and GRADER_KEEP_RUNS.",
)
def prune_job() -> None:
    """What is older than the settings keep."""
    remove_old_files_and_runs()


@dg.schedule(
    job=prune_job,
    cron_schedule=(
        f"{_settings.grader_schedule_time.minute}"
        f" {(_settings.grader_schedule_time.hour + _HOURS_AFTER_THE_MORNING) % 24} * * *"
    ),
    execution_timezone=_settings.grader_timezone,
    default_status=dg.DefaultScheduleStatus("RUNNING" if _settings.has_real_api else "STOPPED"),
    description="Starts the job prune each day, twelve hours after the morning's run.",
)
def afternoon(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for the job once yesterday's report is out.

    Materializations that are reported again are new ones for Dagster: they would hide from its
    freshness policy that the morning failed.
    """
    tick = context.scheduled_execution_time.astimezone(_settings.timezone)
    yesterday = (tick.date() - dt.timedelta(days=1)).isoformat()
    shown = dg.AssetRecordsFilter(asset_key=dg.AssetKey(SHEET_REPORT), asset_partitions=[yesterday])
    if not context.instance.fetch_materializations(shown, limit=1).records:
        return dg.SkipReason(f"The report of {yesterday} is not out.")
    return dg.RunRequest(run_key=tick.date().isoformat())

"""Computes the waiting days again: the job ``refresh``, its sensor, and what ``recompute`` does.

A late or corrected day, or attempts changed by others, make the reports of later days wait. The run
of a day computes a few of them again. This job computes the rest, oldest first, each day once. It
can be stopped at any time: what is left still waits.
"""

import datetime as dt
import logging
from collections.abc import Callable

import dagster as dg

from grader_pipeline.asset_names import SHEET_REPORT
from grader_pipeline.assets.materializations import Record, record_sheet, refresh_day
from grader_pipeline.assets.step4_metrics import REPORTS
from grader_pipeline.assets.step5_sheet_report import write_sheet
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.reports.records import outdated_records, settle_records
from grader_pipeline.reports.stored_days import changed_days, open_calendar, roll_up_again
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.migrations import advice, schema_differences
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.schedule import REFRESH_JOB, UNFINISHED
from grader_pipeline.sheet.resource import Sheets

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called before each day: what is done, how many days are done, how many there are."""

_SHEET_EVERY = 60
"""After so many days the sheet is written, so that readers need not wait for the last one."""


def refresh_waiting(
    postgres: Postgres, sheets: Sheets, record: Record | None, progress: Progress
) -> int:
    """Roll up the changed days, compute the waiting days again, write the sheet; give their number.

    ``record`` writes to Dagster's event log. Without it, the records wait for the job.

    Raises as Postgres and Sheets do. Days that are done stay done.
    """
    with postgres.transaction() as db:
        if differences := schema_differences(db):
            raise PermanentFailure(advice(db, differences))
        open_calendar(db)
        changed = changed_days(db)
    for number, date in enumerate(changed):
        progress("rolling up", number, len(changed))
        roll_up_again(postgres, date)
    reports = list(REPORTS.values())
    with postgres.transaction() as db:
        waiting = waiting_days(db)
    for number, date in enumerate(waiting):
        progress("computing", number, len(waiting))
        refresh_day(postgres, reports, date, record)
        if number % _SHEET_EVERY == _SHEET_EVERY - 1:
            _show(postgres, sheets, record)
    if waiting:
        progress("writing the sheet", len(waiting), len(waiting))
        _show(postgres, sheets, record)
    return len(waiting)


def _show(postgres: Postgres, sheets: Sheets, record: Record | None) -> None:
    with postgres.transaction(lock="sheet_report") as db:
        outdated = outdated_records(db, [SHEET_REPORT], of_all_runs=True)
        shown = write_sheet(db, sheets)
        if record is None:
            return
        for _, date in outdated:
            record_sheet(db, date, shown.where, record)
        settle_records(db, outdated)


@dg.op
def refresh_days(context: dg.OpExecutionContext, postgres: Postgres, sheets: Sheets) -> None:
    """Compute the days again whose reports are older than the attempts, and write the sheet."""

    def progress(what: str, done: int, of: int) -> None:
        if done % _SHEET_EVERY == 0:
            log.info("refresh: %s, %d of %d days done", what, done, of)

    with postgres.alone("refresh") as is_alone:
        if not is_alone:
            log.info("refresh: another process is at it")
            return
        done = refresh_waiting(postgres, sheets, context.log_event, progress)
    context.add_output_metadata({"days": done})
    log.info("refresh: %d days done", done)


@dg.job(name=REFRESH_JOB)
def refresh() -> None:
    """The days that wait because attempts of theirs, or of earlier days, have changed."""
    refresh_days()


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the job refresh while days wait and no run is under way.",
)
def waiting_days_sensor(
    context: dg.SensorEvaluationContext, postgres: Postgres
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one run of the job, and for the next one when that changed anything."""
    with postgres.transaction() as db:
        waiting = waiting_days(db)
        changed = changed_days(db)
    if not waiting and not changed:
        return dg.SkipReason("No day waits.")
    unfinished = dg.RunsFilter(statuses=UNFINISHED)
    if context.instance.get_runs_count(unfinished):
        return dg.SkipReason(f"{len(waiting)} days wait for the end of the runs under way.")
    # The same days are tried once an hour: whatever stopped the last run may stop the next one.
    days = f"{len(changed)} changed, {len(waiting)} waiting from {min([*changed, *waiting])}"
    return dg.RunRequest(run_key=f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H}h {days}")

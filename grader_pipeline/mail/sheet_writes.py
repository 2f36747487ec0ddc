"""Which runs wrote which days to the sheet, and which days runs still work on.

Source: the materializations of sheet_report and the runs in Dagster's storage.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import dagster as dg

from grader_pipeline.asset_names import SHEET_REPORT
from grader_pipeline.mail.run_outcome import PARTITION_TAG, days_of, to_dates
from grader_pipeline.reports.day_metrics import LOOKS_BACK_DAYS
from grader_pipeline.schedule import REFRESH_JOB, UNFINISHED

_SHEET = dg.AssetKey(SHEET_REPORT)
_PAGE = 500


@dataclass(frozen=True)
class SheetWrite:
    """A day that a run wrote to the sheet, when (a Unix time), and the sheet's address.

    A workbook has no address.
    """

    day: dt.date
    run_id: str
    at: float
    url: str | None


def writes_of(instance: dg.DagsterInstance, run_id: str) -> list[SheetWrite]:
    """What a run wrote to the sheet, oldest first. It may refresh days besides its own."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    return list(_writes(instance.all_logs(run_id, of_type=kind)))


def writes_since(instance: dg.DagsterInstance, moment: float) -> list[SheetWrite]:
    """What all runs wrote to the sheet since ``moment`` (a Unix time), oldest first."""
    wanted = dg.AssetRecordsFilter(asset_key=_SHEET, after_timestamp=moment)
    found: list[SheetWrite] = []
    cursor = None
    while True:
        page = instance.fetch_materializations(wanted, _PAGE, cursor=cursor, ascending=True)
        found.extend(_writes(record.event_log_entry for record in page.records))
        if not page.has_more:
            return found
        cursor = page.cursor


def other_writers(instance: dg.DagsterInstance, day: dt.date, run_id: str) -> list[str]:
    """The successful runs of the day, other than ``run_id``, that wrote it to the sheet."""
    wanted = dg.AssetRecordsFilter(asset_key=_SHEET, asset_partitions=[day.isoformat()])
    records = instance.fetch_materializations(wanted, _PAGE).records
    others = sorted({record.run_id for record in records} - {run_id})
    if not others:
        return []
    succeeded = dg.RunsFilter(run_ids=others, statuses=[dg.DagsterRunStatus.SUCCESS])
    return [run.run_id for run in instance.get_runs(succeeded) if day in days_of(run)]


def unfinished_days(instance: dg.DagsterInstance, days: Iterable[dt.date]) -> set[dt.date]:
    """The days, of ``days`` and the LOOKS_BACK_DAYS before each, with a queued or started run."""
    reach = {day - dt.timedelta(days=back) for day in days for back in range(LOOKS_BACK_DAYS + 1)}
    if not reach:
        return set()
    keys = sorted(day.isoformat() for day in reach)
    wanted = dg.RunsFilter(statuses=UNFINISHED, tags={PARTITION_TAG: keys})
    return {day for run in instance.get_runs(wanted) for day in days_of(run)}


def is_refreshing(instance: dg.DagsterInstance) -> bool:
    """Whether the job ``refresh`` is under way: the sheet may not have what it computed."""
    wanted = dg.RunsFilter(job_name=REFRESH_JOB, statuses=UNFINISHED)
    return bool(instance.get_runs_count(wanted))


def _writes(entries: Iterable[dg.EventLogEntry]) -> Iterator[SheetWrite]:
    for entry in entries:
        written = entry.asset_materialization
        if written is None or written.asset_key != _SHEET:
            continue
        urls = [
            value.url
            for value in written.metadata.values()
            if isinstance(value, dg.UrlMetadataValue)
        ]
        for day in to_dates([written.partition or ""]):
            yield SheetWrite(day, entry.run_id, entry.timestamp, next(filter(None, urls), None))

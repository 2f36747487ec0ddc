"""How a backfill ended: its days and its runs, with Dagster's retries of them.

Source: the backfills and runs in Dagster's storage. It does not matter how one was started.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, PartitionBackfill

from grader_pipeline.mail import run_outcome
from grader_pipeline.mail.sheet_writes import writes_since

BACKFILL_TAG = "dagster/backfill"


@dataclass(frozen=True)
class BackfillRun:
    """A run of a backfill, and how it ended. None: it goes on, or may still be retried.

    ``at`` is when it ended, or else when it was made (a Unix time).
    """

    run: dg.DagsterRun
    status: run_outcome.FinalStatus | None
    at: float


@dataclass(frozen=True)
class Backfill:
    """A backfill that has ended. ``runs`` are the newest first.

    ``written``: the days that their own runs wrote to the sheet since the backfill began, whoever
    started them, and when (a Unix time). ``touched``: the days that its runs wrote there, refreshed
    ones included, and those that the job ``refresh`` wrote since. ``ended``: when its last run
    began or ended (a Unix time). ``url``: the sheet's address. ``is_silent``: its tags say that
    colleagues get no mail about it.
    """

    days: list[dt.date]
    runs: list[BackfillRun]
    written: dict[dt.date, float]
    touched: set[dt.date]
    ended: float
    url: str | None
    is_silent: bool


def ended_backfill(instance: dg.DagsterInstance, backfill_id: str) -> Backfill | None:
    """A backfill that has ended, also if Dagster failed it or somebody canceled it.

    None while it goes on, and while one of its runs does or may still be retried. If no run began
    or ended for RETRY_WAIT, those that go on are not waited for. A backfill that Dagster does not
    know (any more) has no days.
    """
    backfill = instance.get_backfill(backfill_id)
    if backfill is not None and backfill.status not in BULK_ACTION_TERMINAL_STATUSES:
        return None
    now = dt.datetime.now(dt.UTC)
    records = _with_retries(
        instance, instance.get_run_records(dg.RunsFilter(tags={BACKFILL_TAG: backfill_id}))
    )
    began, latest = now.timestamp(), 0.0
    if backfill is not None:
        began = backfill.backfill_timestamp
        latest = backfill.backfill_end_timestamp or began
    runs = []
    for record in records:
        created = record.create_timestamp.timestamp()
        began = min(began, created)
        latest = max(latest, created, record.start_time or 0, record.end_time or 0)
        at = record.end_time or created
        age = now - dt.datetime.fromtimestamp(at, dt.UTC)
        status = run_outcome.final_status(instance, record.dagster_run, age)
        runs.append(BackfillRun(record.dagster_run, status, at))
    is_lost = now.timestamp() - latest >= run_outcome.RETRY_WAIT.total_seconds()
    if any(run.status is None for run in runs) and not is_lost:
        return None
    return _with_writes(instance, backfill, runs, began, latest)


def backfill_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """The backfill that a run belongs to, itself or as Dagster's retry of a run that does.

    Dagster gives a retry no tag of a backfill that has ended.
    """
    while not run.tags.get(BACKFILL_TAG):
        parent = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
        if parent is None or parent.tags.get(run_outcome.RETRY_TAG) != run.run_id:
            return None
        run = parent
    return run.tags[BACKFILL_TAG]


def _with_writes(
    instance: dg.DagsterInstance,
    backfill: PartitionBackfill | None,
    runs: list[BackfillRun],
    began: float,
    ended: float,
) -> Backfill:
    writes = writes_since(instance, began)
    own = {each.run.run_id: each.run for each in runs}
    others = sorted({write.run_id for write in writes} - set(own))
    found = instance.get_runs(dg.RunsFilter(run_ids=others)) if others else []
    writers = {run.run_id: run for run in (*own.values(), *found)}
    # The run writes the sheet before it fails for a report that could not be computed.
    whole = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED}
    written = {
        write.day: write.at
        for write in writes
        if (run := writers.get(write.run_id))
        and run.status in whole
        and write.day in run_outcome.days_of(run)
    }
    urls = [write.url for write in writes if write.url]
    # The runs of refresh are for no day. A silent backfill has no digest that could tell of them.
    refreshing = {run.run_id for run in found if not run_outcome.days_of(run)}
    tags = backfill.tags if backfill else runs[0].run.tags if runs else {}
    is_silent = run_outcome.is_silent(tags)
    tellers = set(own) if is_silent else {*own, *refreshing}
    return Backfill(
        _days(backfill),
        runs,
        written,
        touched={write.day for write in writes if write.run_id in tellers},
        ended=ended,
        url=urls[-1] if urls else None,
        is_silent=is_silent,
    )


def _with_retries(
    instance: dg.DagsterInstance, records: Sequence[dg.RunRecord]
) -> list[dg.RunRecord]:
    """The records and those of Dagster's retries, newest first."""
    known = {record.dagster_run.run_id: record for record in records}
    new = list(records)
    while new:
        retries = {record.dagster_run.tags.get(run_outcome.RETRY_TAG) for record in new}
        ids = [run_id for run_id in retries if run_id and run_id not in known]
        new = list(instance.get_run_records(dg.RunsFilter(run_ids=ids))) if ids else []
        known |= {record.dagster_run.run_id: record for record in new}
    return sorted(known.values(), key=lambda record: record.storage_id, reverse=True)


def _days(backfill: PartitionBackfill | None) -> list[dt.date]:
    if backfill is None:
        return []
    if backfill.asset_backfill_data is None:
        return run_outcome.to_dates(backfill.partition_names or [])
    targets = backfill.asset_backfill_data.target_subset.partitions_subsets_by_asset_key
    keys = {key for subset in targets.values() for key in subset.get_partition_keys()}
    return run_outcome.to_dates(sorted(keys))

"""What Dagster's UI shows of a day: read from the tables, whoever computed them.

The run of a day records it with the result of its steps. A day that is computed again because an
earlier one has changed is recorded by the run that does it, with an AssetMaterialization for each
asset.
"""

import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import dagster as dg

from grader_pipeline.asset_names import DAILY_METRICS, GRADER_TABLE, METRICS, SHEET_REPORT
from grader_pipeline.partitions import SchoolDay, window
from grader_pipeline.reports.day_metrics import MAIN_METRICS
from grader_pipeline.reports.definition import Report, Row
from grader_pipeline.reports.links import lines_link, picture_link
from grader_pipeline.reports.names import read_named
from grader_pipeline.reports.privacy import may_be_shown
from grader_pipeline.reports.records import outdated_records, settle_records
from grader_pipeline.reports.stored_days import FEW_DAYS
from grader_pipeline.reports.tables import (
    count_rows,
    failures,
    store_reports,
)
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

Record = Callable[[dg.AssetMaterialization], None]
"""Writes a materialization to Dagster's event log."""


def refresh_few(
    postgres: Postgres, reports: Sequence[Report], day: SchoolDay, record: Record
) -> list[dt.date]:
    """Compute the other days again whose reports are out of date, oldest first; give them.

    If they are more than FEW_DAYS, or another process is at it, none: the job ``refresh`` does it.
    """
    with postgres.alone("refresh") as is_alone:
        with postgres.transaction() as db:
            waiting = waiting_days(db, only_outdated=True)
        others = [date for date in waiting if date != day.date]
        if not is_alone or len(others) > FEW_DAYS:
            log.info("%d days wait to be computed again; the job refresh does it", len(others))
            return []
        for date in others:
            refresh_day(postgres, reports, date, record)
    return others


def refresh_day(
    postgres: Postgres, reports: Sequence[Report], date: dt.date, record: Record | None
) -> None:
    """Compute the reports of a stored day again, and record what has changed, but for the sheet.

    Without ``record``, the records stay outdated.
    """
    store_reports(postgres, reports, window(date), only_outdated=True)
    if record is None:
        return
    by_name = {report.name: report for report in reports}
    with postgres.transaction() as db:
        outdated = outdated_records(db, [GRADER_TABLE, METRICS, *by_name], date, of_all_runs=True)
        for asset, _ in outdated:
            if asset == GRADER_TABLE:
                found = grader_table_metadata(read_ledger(db, window(date)))
            elif asset == METRICS:
                found = metrics_metadata(db, reports, window(date))
            else:
                found = report_metadata(db, by_name[asset], window(date))
            record(refreshed(asset, date, found, by_name.get(asset)))
        settle_records(db, outdated)
    log.info("Computed %s again: %d records", date, len(outdated))


def refreshed(
    asset: str, date: dt.date, metadata: dict[str, Any], report: Report | None = None
) -> dg.AssetMaterialization:
    """The materialization of a day that the run is not about."""
    return dg.AssetMaterialization(
        asset,
        partition=date.isoformat(),
        description="Computed again: attempts of this day or of an earlier one have changed.",
        metadata=metadata,
        tags={"dagster/data_version": data_version(report).value} if report else None,
    )


def data_version(report: Report) -> dg.DataVersion:
    """One version of a report for all days.

    Dagster compares that of this step's report with that of the report's last materialization, of
    whatever day. If they differed by day, it would log "Data version mismatch" while other days
    run, and note a wrong input.
    """
    return dg.DataVersion(hashlib.sha256(report.query.encode()).hexdigest())


def report_metadata(db: Connection, report: Report, day: SchoolDay) -> dict[str, Any]:
    """How many rows a report of the day has and, if it may be shown, its metrics and the links."""
    rows = count_rows(db, report, day)
    found: dict[str, Any] = {"dagster/row_count": rows}
    if not rows or not may_be_shown(report):
        return found
    found["lines"] = lines_link(report.name, day.date)
    if picture := picture_link(report, day.date):
        found["picture"] = picture
    if report.plot:
        found |= _values(read_named(db, report, until=day.date, days=1), *report.plot)
    return found


def metrics_metadata(db: Connection, reports: Iterable[Report], day: SchoolDay) -> dict[str, Any]:
    """The main metrics, how many rows all reports have, and which of them failed.

    Each report has its own rows, and the asset daily_metrics the other metrics.
    """
    failed = failures(db, reports, day)
    rows = sum(count_rows(db, report, day) for report in reports if report.name not in failed)
    lines = db.execute(statement("reading/day_metrics"), day.parameters).fetchall()
    return {
        "dagster/row_count": rows,
        **({"failed": dg.MetadataValue.json(failed)} if failed else {}),
        **_values((line for line in lines if line["metric"] in MAIN_METRICS), "value", "metric"),
    }


def read_ledger(db: Connection, day: SchoolDay) -> Row:
    """The row of ``sql/checks/ledger_and_tables.sql``."""
    return db.execute(statement("checks/ledger_and_tables"), day.parameters).fetchone() or {}


def grader_table_metadata(ledger: Row) -> dict[str, Any]:
    """How many attempts the table holds, and what the ledger says of the last load, if any."""
    named = ("loaded", "already_there", "updated", "differing", "quarantined")
    return {
        "dagster/row_count": ledger["stored"],
        **{
            name.replace("_", " "): ledger[name] for name in named if ledger["received"] is not None
        },
    }


def record_sheet(db: Connection, date: dt.date, where: str, record: Record) -> None:
    """Record that the sheet shows a day that the run is not about."""
    record(refreshed(SHEET_REPORT, date, sheet_metadata(db, window(date), where)))


def sheet_metadata(db: Connection, day: SchoolDay, where: str) -> dict[str, Any]:
    """Where the sheet is, how many lines of the day it has, and a link to them."""
    lines = db.execute(statement("reading/day_metrics"), day.parameters).fetchall()
    kind = dg.MetadataValue.url if where.startswith("https://") else dg.MetadataValue.path
    return {
        "sheet": kind(where),
        "dagster/row_count": len(lines),
        "lines": lines_link(DAILY_METRICS, day.date),
    }


def _values(lines: Iterable[Row], value: str, by: str) -> dict[str, float]:
    """The numbers of a report that has a line for each, for Dagster to plot over the days."""
    return {line[by]: float(line[value]) for line in lines if line[value] is not None}

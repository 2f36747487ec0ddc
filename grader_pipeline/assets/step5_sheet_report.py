"""The Google Sheet, or the local workbook, shows the day.

Each write brings the sheet to what daily_metrics holds: all days, newest first. So one write is
enough, in whatever order days were loaded, and a second write of a day changes nothing. This step
reads the numbers and writes the sheet under one lock, so a run never overwrites newer numbers with
older ones.

Each report with a worksheet is written too. If one of them could not be computed for the day, the
run fails after the write and names the file. Then no mail says that the report is ready.

Source: metrics and the reports. Readers are Russian-speaking course staff.
"""

import logging
import time
from collections.abc import Iterator

import dagster as dg

from grader_pipeline import checks
from grader_pipeline.asset_names import METRICS, SHEET_REPORT
from grader_pipeline.assets import GROUP
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import day_of, days_partitions
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.tables import read_rows
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.schedule import sheet_freshness
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import Table, daily_report
from grader_pipeline.sheet.worksheets import has_worksheet, worksheet
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)


@dg.asset(
    description=__doc__,
    group_name=GROUP,
    kinds={"googlesheets"},
    partitions_def=days_partitions(),
    deps=[METRICS],
    pool="sheet",
    check_specs=checks.specs(SHEET_REPORT),
    freshness_policy=sheet_freshness,
)
def sheet_report(
    context: dg.AssetExecutionContext, postgres: Postgres, sheets: Sheets
) -> Iterator[dg.MaterializeResult]:
    """Show the day, as the module's text describes.

    Raises PermanentFailure if the day has no numbers or one of its reports failed.
    """
    day = day_of(context)
    log.info("sheet_report %s: start", day.key)
    started = time.monotonic()
    with postgres.transaction(lock="sheet_report") as db:
        rows = db.execute(statement("reading/all_metrics")).fetchall()
        lines = [row for row in rows if row["report_date"] == day.date]
        if not lines:
            raise PermanentFailure(f"daily_metrics has nothing for {day.key}: materialize metrics.")
        failures = db.execute(statement("report_tables/failures"), day.parameters).fetchall()
        shown = sheets.show([*daily_report(rows), *_worksheets(db)])
    seconds = time.monotonic() - started
    log.info("sheet_report %s: %d cells written in %.1f s", day.key, shown.cells, seconds)
    is_url = shown.where.startswith("https://")
    kind = dg.MetadataValue.url if is_url else dg.MetadataValue.path
    preview = [
        dg.TableRecord(
            {"label": x["label"], "value": str("" if x["value"] is None else x["value"])}
        )
        for x in lines
    ]
    yield dg.MaterializeResult(
        metadata={
            "sheet": kind(shown.where),
            "dagster/row_count": len(rows),
            "days": len({row["report_date"] for row in rows}),
            "written": shown.written,
            "the day's rows": dg.MetadataValue.table(preview),
            "seconds": seconds,
        },
        check_results=checks.results(SHEET_REPORT, failures),
    )
    if failures:
        causes = " ".join(failure["message"] for failure in failures)
        raise PermanentFailure(
            f"The sheet shows {day.key} without {len(failures)} of its reports: {causes} Correct "
            "the file and run the day's metrics and sheet_report again."
        )


def _worksheets(db: Connection) -> list[Table]:
    """The worksheets of the reports that have one, and rows to show."""
    tables = []
    for report in filter(has_worksheet, reports()):
        days = report.sheet if isinstance(report.sheet, int) else None
        tables.append(worksheet(report, read_rows(db, report, days=days)))
    return [table for table in tables if table]

"""The Google Sheet, or the local workbook, shows the day.

The sheet states what daily_metrics holds: all days, the newest first. So one write brings it up to
date whatever days were loaded before and in which order, and writing a day twice changes nothing.
Reading the numbers and writing the sheet happen under one lock: a run that read earlier cannot
write later.

Source: metrics. Readers are Russian-speaking course staff.
"""

import logging
import time

import dagster as dg

from grader_pipeline.assets import GROUP, OWNERS
from grader_pipeline.automation.schedule import sheet_freshness
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import day_of, days_partitions
from grader_pipeline.report.table import daily_report
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.resources.sheets import Sheets
from grader_pipeline.sql import statement

log = logging.getLogger(__name__)


@dg.asset(
    description=__doc__,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"googlesheets"},
    partitions_def=days_partitions(),
    deps=["metrics"],
    pool="sheet",
    freshness_policy=sheet_freshness,
)
def sheet_report(
    context: dg.AssetExecutionContext, postgres: Postgres, sheets: Sheets
) -> dg.MaterializeResult:
    """Show the day; see the module's text."""
    day = day_of(context)
    log.info("sheet_report %s: start", day.key)
    started = time.monotonic()
    with postgres.transaction(lock="sheet_report") as db:
        rows = db.execute(statement("reading/all_metrics")).fetchall()
        lines = [row for row in rows if row["report_date"] == day.date]
        if not lines:
            raise PermanentFailure(f"daily_metrics has nothing for {day.key}: materialize metrics.")
        shown = sheets.show(daily_report(rows))
    seconds = time.monotonic() - started
    log.info("sheet_report %s: %d cells written in %.1f s", day.key, shown.cells, seconds)
    preview = [dg.TableRecord({"label": x["label"], "value": str(x["value"] or "")}) for x in lines]
    return dg.MaterializeResult(
        metadata={
            "sheet": _link(shown.where),
            "dagster/row_count": len(rows),
            "days": len({row["report_date"] for row in rows}),
            "written": shown.written,
            "the day's rows": dg.MetadataValue.table(preview),
            "seconds": seconds,
        }
    )


def _link(where: str) -> dg.MetadataValue:
    is_url = where.startswith("https://")
    return dg.MetadataValue.url(where) if is_url else dg.MetadataValue.path(where)

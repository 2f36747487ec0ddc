"""The day's metrics: every report of ``sql/metrics``, computed and stored in PostgreSQL.

A report is a file; its table holds one part a day, replaced whole. Nothing here knows what a
report says.

Source: grader_table. Units and labels stand in the reports.
"""

import logging
import time

import dagster as dg

from grader_pipeline.assets import GROUP, OWNERS, column_schema
from grader_pipeline.partitions import day_of, days_partitions
from grader_pipeline.reports import replace_day, reports
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.sql import statement

log = logging.getLogger(__name__)

COLUMNS = column_schema(
    report_date=("date", "The school's day."),
    place=("smallint", "Order in which the lines are read."),
    metric=("text", "Stable name."),
    label=("text", "What course staff read, in Russian."),
    value=("numeric", "NULL where the day gives none, such as a share of nothing."),
)


@dg.asset(
    description=__doc__,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"sql", "postgres"},
    partitions_def=days_partitions(),
    deps=["grader_table"],
    metadata={"dagster/column_schema": COLUMNS, "dagster/table_name": "daily_metrics"},
)
def metrics(context: dg.AssetExecutionContext, postgres: Postgres) -> dg.MaterializeResult:
    """Compute the day's reports; see the module's text."""
    day = day_of(context)
    log.info("metrics %s: start", day.key)
    started = time.monotonic()
    with postgres.transaction(lock=f"metrics/{day.key}") as db:
        rows = {report.stem: replace_day(db, report, day) for report in reports()}
        lines = db.execute(statement("reading/day_metrics"), day.parameters).fetchall()
    seconds = time.monotonic() - started
    log.info("metrics %s: %s in %.1f s", day.key, rows, seconds)
    values = {line["metric"]: float(line["value"]) for line in lines if line["value"] is not None}
    shown = [dg.TableRecord({"label": x["label"], "value": str(x["value"] or "")}) for x in lines]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(rows.values()),
            "numbers": dg.MetadataValue.table(shown) if shown else "no numbers",
            **values,
            "seconds": seconds,
        }
    )

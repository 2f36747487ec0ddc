"""The day's metrics: all reports of the day, computed and stored in PostgreSQL.

The reports are the assets of the group reports. This asset has no table: it gathers how many rows
each report has and which report failed.

One step computes all reports, each in its own transaction. If a report cannot be computed, it is
not materialized, and the log and the table report_failure name its file and line. The other reports
are computed all the same. If daily_metrics fails, the step fails after the others are done, because
the sheet and the mail need it.

Reports look back at earlier days. If the attempts of a day have changed, this step also computes
the stored reports of later days again. So the order in which days are loaded does not matter.

Source: grader_table and the rollups that its load keeps.
"""

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import dagster as dg

from grader_pipeline.asset_names import GRADER_TABLE, METRICS
from grader_pipeline.assets import GROUP, REPORTS_GROUP, column_schema
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import SchoolDay, day_of, days_partitions
from grader_pipeline.reports import pictures
from grader_pipeline.reports.definition import Report, ReportError, Row, place
from grader_pipeline.reports.privacy import may_be_shown, preview, rows_to_show
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.tables import columns_of, read_rows, refresh_later_days, store_day
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

REPORTS = {report.name: report for report in reports()}

_OnTables = partial(
    dg.AssetSpec, kinds={"sql", "postgres"}, partitions_def=days_partitions(), skippable=True
)


def _spec(report: Report) -> dg.AssetSpec:
    history = f"{report.history} days, its own included" if report.history else "all days up to it"
    worksheet = {"worksheet": f"{report.title}: {report.description}"} if report.sheet else {}
    return _OnTables(
        report.name,
        # Day by day, although reports look back: with an offset in the mapping, Dagster splits a
        # backfill's runs, and one failed day stops the 27 after it.
        deps=[GRADER_TABLE],
        description=report.problem or report.about or f"The report of {place(report.path)}.",
        group_name=REPORTS_GROUP,
        metadata={"dagster/table_name": report.name, "reads": history, **worksheet},
    )


@dg.multi_asset(
    name=METRICS,
    specs=[
        *(_spec(report) for report in REPORTS.values()),
        _OnTables(
            METRICS,
            # On grader_table directly too: a backfill of the five keys alone would else see no way
            # from it to here, and run this before the load.
            deps=[GRADER_TABLE, *REPORTS],
            description=__doc__,
            group_name=GROUP,
        ),
    ],
    can_subset=True,
)
def metrics(
    context: dg.AssetExecutionContext, postgres: Postgres
) -> Iterator[dg.MaterializeResult]:
    """Compute the day's reports, as the module's text describes.

    Raises PermanentFailure if daily_metrics cannot be computed.
    """
    day = day_of(context)
    log.info("metrics %s: start", day.key)
    started = time.monotonic()
    selected = {key.to_user_string() for key in context.selected_asset_keys}
    # Whoever selects only `metrics` wants all of them computed.
    wanted = [r for r in REPORTS.values() if METRICS in selected or r.name in selected]
    with postgres.transaction() as db:
        names = {"now": [report.name for report in wanted], "all": list(REPORTS)}
        db.execute(statement("report_tables/forget_failures"), {**day.parameters, **names})
    rows: dict[str, int] = {}
    failures: dict[str, str] = {}
    for report in wanted:
        try:
            result = _materialize(context, postgres, report, day)
        except ReportError as error:
            failures[report.name] = str(error)
            log.error("The report %s of %s was not computed: %s", report.name, day.key, error)  # noqa: TRY400
            failure = {"report": report.name, "message": str(error), **day.parameters}
            with postgres.transaction() as db:
                db.execute(statement("report_tables/note_failure"), failure)
            continue
        rows[report.name] = result.metadata["dagster/row_count"]  # type: ignore[index,assignment]
        if report.name in selected:
            yield result
    seconds = time.monotonic() - started
    log.info("metrics %s: %s in %.1f s", day.key, rows, seconds)
    if "daily_metrics" in failures:
        raise PermanentFailure(f"There are no numbers of {day.key}: {failures['daily_metrics']}")
    if METRICS in selected:
        with postgres.transaction() as db:
            lines = db.execute(statement("reading/day_metrics"), day.parameters).fetchall()
        yield dg.MaterializeResult(
            METRICS,
            metadata={
                "dagster/row_count": sum(rows.values()),
                "reports": dg.MetadataValue.json(rows),
                "failed": dg.MetadataValue.json(failures),
                **_values(lines),
                "seconds": seconds,
            },
        )


def _materialize(
    context: dg.AssetExecutionContext, postgres: Postgres, report: Report, day: SchoolDay
) -> dg.MaterializeResult:
    started = time.monotonic()
    stored = store_day(postgres, report, day)
    refreshed = refresh_later_days(postgres, report, day)
    with postgres.transaction() as db:
        found = columns_of(db, report.name)
    labels = {name: label.text for name, label in report.columns.items()}
    shown = column_schema(**{c["name"]: (c["type"], labels.get(c["name"])) for c in found})
    columns = {"dagster/column_schema": shown}
    # One version for all days, because Dagster compares that of this step's report with that of the
    # report's last materialization, of whatever day. If they differed by day, it would log "Data
    # version mismatch" while other days run, and note a wrong input.
    version = dg.DataVersion(hashlib.sha256(report.query.encode()).hexdigest())
    for later, again in refreshed.items():
        context.log_event(
            dg.AssetMaterialization(
                report.name,
                partition=later,
                tags={"dagster/data_version": version.value},
                description=f"Refreshed: {day.key}, which it looks back at, has changed.",
                metadata={"dagster/row_count": again.rows, "written": again.written, **columns},
            )
        )
    if refreshed:
        log.info("%s: refreshed %d later days after %s", report.name, len(refreshed), day.key)
    return dg.MaterializeResult(
        report.name,
        metadata={
            "dagster/row_count": stored.rows,
            "written": stored.written,
            "days refreshed": len(refreshed),
            **_views(postgres, report, day),
            **columns,
            "seconds": time.monotonic() - started,
        },
        data_version=version,
    )


def _views(postgres: Postgres, report: Report, day: SchoolDay) -> dict[str, Any]:
    """What the UI shows of a report: its rows and picture, if it may be shown at all."""
    if not may_be_shown(report):
        return {}
    days = report.picture.days if report.picture else 1
    with postgres.transaction() as db:
        rows = rows_to_show(report, read_rows(db, report, until=day.date, days=days))
    today = [row for row in rows if row["report_date"] == day.date]
    views: dict[str, Any] = {"preview": preview(report, today), **_values(today)}
    if report.picture and (png := pictures.draw(report, rows)):
        views["picture"] = pictures.as_markdown(png, report.title)
    return views


def _values(lines: Sequence[Row]) -> dict[str, float]:
    """The numbers of a report that has a line for each, for Dagster to plot over the days."""
    return {line["metric"]: float(line["value"]) for line in lines if line.get("value") is not None}

"""The day's metrics: every report of ``sql/reports``, computed and stored in PostgreSQL.

Each file is an asset of its own, and ``metrics`` gathers them. One step computes them all, each in
its own transaction: a report that cannot be computed is left unmaterialized, named with its file
and line in the log and in ``report_failure``, and stops no other. Only ``daily_metrics``, which the
sheet and the mail stand on, fails the step, when all others are done.

A day whose attempts have changed is part of what reports of later days look back at. Those that
are stored already are computed again here, so that days loaded in any order end up the same.

Dependencies are day by day although reports look back: with an offset in the mapping, Dagster
would split a backfill's runs, and one failed day would hold up the 27 after it.

Source: grader_table and the rollups that its load keeps. Labels stand in the reports.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from grader_pipeline.assets import GROUP, OWNERS, column_schema
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import SchoolDay, day_of, days_partitions
from grader_pipeline.reports import pictures
from grader_pipeline.reports.definition import Report, ReportError, Row, place
from grader_pipeline.reports.files import reports
from grader_pipeline.reports.privacy import may_be_shown, preview, rows_to_show
from grader_pipeline.reports.tables import read_rows, refresh_later_days, store_day
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

REPORTS = {report.name: report for report in reports()}

COLUMNS = column_schema(
    report_date=("date", "The school's day."),
    place=("smallint", "Order in which the lines are read."),
    metric=("text", "Stable name."),
    label=("text", "What course staff read, in Russian."),
    value=("numeric", "NULL where the day gives none, such as a share of nothing."),
)


def _spec(report: Report) -> dg.AssetSpec:
    labels = {name: ("", label.text) for name, label in report.columns.items()}
    history = f"{report.history} days, its own included" if report.history else "all days up to it"
    return dg.AssetSpec(
        report.name,
        deps=["grader_table"],
        description="\n\n".join([report.title, report.description, f"In `{place(report.path)}`."]),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"sql", "postgres"},
        partitions_def=days_partitions(),
        skippable=True,
        metadata={
            "dagster/table_name": report.name,
            "reads": history,
            **({"dagster/column_schema": column_schema(**labels)} if labels else {}),
        },
    )


@dg.multi_asset(
    name="metrics",
    specs=[
        *(_spec(report) for report in REPORTS.values()),
        dg.AssetSpec(
            "metrics",
            # Directly too: a backfill of the fixed five keys would else see no way from one to
            # the other, and run the metrics before the load.
            deps=["grader_table", *REPORTS],
            description=__doc__,
            group_name=GROUP,
            owners=OWNERS,
            kinds={"sql", "postgres"},
            partitions_def=days_partitions(),
            skippable=True,
            metadata={"dagster/column_schema": COLUMNS, "dagster/table_name": "daily_metrics"},
        ),
    ],
    can_subset=True,
)
def metrics(
    context: dg.AssetExecutionContext, postgres: Postgres
) -> Iterator[dg.MaterializeResult]:
    """Compute the day's reports; see the module's text."""
    day = day_of(context)
    log.info("metrics %s: start", day.key)
    started = time.monotonic()
    selected = {key.to_user_string() for key in context.selected_asset_keys}
    # `metrics` alone stands for all of them.
    wanted = [r for r in REPORTS.values() if "metrics" in selected or r.name in selected]
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
            _note_failure(postgres, report, day, str(error))
            continue
        rows[report.name] = result.metadata["dagster/row_count"]  # type: ignore[index,assignment]
        if report.name in selected:
            yield result
    seconds = time.monotonic() - started
    log.info("metrics %s: %s in %.1f s", day.key, rows, seconds)
    if "daily_metrics" in failures:
        raise PermanentFailure(f"There are no numbers of {day.key}: {failures['daily_metrics']}")
    if "metrics" in selected:
        with postgres.transaction() as db:
            lines = db.execute(statement("reading/day_metrics"), day.parameters).fetchall()
        yield dg.MaterializeResult(
            "metrics",
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
    for later, again in refreshed.items():
        context.log_event(
            dg.AssetMaterialization(
                report.name,
                partition=later,
                description=f"Refreshed: {day.key}, which it looks back at, has changed.",
                metadata={"dagster/row_count": again.rows, "written": again.written},
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
            "seconds": time.monotonic() - started,
        },
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


def _note_failure(postgres: Postgres, report: Report, day: SchoolDay, message: str) -> None:
    log.error("The report %s of %s was not computed: %s", report.name, day.key, message)
    with postgres.transaction() as db:
        db.execute(
            statement("report_tables/note_failure"),
            {"report": report.name, "message": message, **day.parameters},
        )

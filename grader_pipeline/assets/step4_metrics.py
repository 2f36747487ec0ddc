"""The day's metrics: all reports of the day, computed and stored in PostgreSQL.

The reports are the assets of the group reports. This asset has no table: it gathers how many rows
the reports have and which of them failed.

One step computes all reports, in one transaction with a savepoint each. If a report cannot be
computed, it is not materialized, and the log and the table report_failure name its file and line.
The other reports are computed all the same. If daily_metrics fails, the step fails after the others
are done, because the sheet and the mail need it.

Reports look back at earlier days. If the attempts of a day have changed, this step also computes
the stored reports of later days again, if they are few. The job refresh computes many. So the
order in which days are loaded does not matter.

Source: grader_table and the rollups that its load keeps.
"""

import logging
import time
from collections.abc import Iterator
from functools import partial

import dagster as dg

from grader_pipeline.asset_names import DAILY_METRICS, GRADER_TABLE, METRICS
from grader_pipeline.assets import GROUP, REPORTS_GROUP, column_schema, metadata_once
from grader_pipeline.assets.materializations import (
    data_version,
    metrics_metadata,
    refresh_few,
    refreshed,
    report_metadata,
)
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import day_of, days_partitions
from grader_pipeline.reports.definition import Report, ReportColumn, ReportError, place
from grader_pipeline.reports.records import outdated_records, settle_records
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.tables import Stored, store_reports
from grader_pipeline.resources.postgres import Postgres

log = logging.getLogger(__name__)

REPORTS = {report.name: report for report in reports()}

_OnTables = partial(
    dg.AssetSpec, kinds={"sql", "postgres"}, partitions_def=days_partitions(), skippable=True
)


def _spec(report: Report) -> dg.AssetSpec:
    history = f"{report.history} days, its own included" if report.history else "all days up to it"
    worksheet = {"worksheet": f"{report.title}: {report.description}"} if report.sheet else {}
    # In the definition, because it is the same for all days: a run stores no columns.
    columns = {name: (_kind(column), column.text) for name, column in report.columns.items()}
    return _OnTables(
        report.name,
        # Day by day, although reports look back: with an offset in the mapping, Dagster splits a
        # backfill's runs, and one failed day stops the 27 after it.
        deps=[GRADER_TABLE],
        description=report.problem or report.about or f"The report of {place(report.path)}.",
        group_name=REPORTS_GROUP,
        metadata={
            "dagster/table_name": report.name,
            "dagster/column_schema": column_schema(**columns),
            "reads": history,
            **worksheet,
        },
    )


def _kind(column: ReportColumn) -> str:
    """What a column is, as the report's header declares it. The table has PostgreSQL's types."""
    of = f" of {column.of}" if column.of else ""
    return column.kind + of


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
    stored = store_reports(postgres, wanted, day, run_id=context.run.run_id)
    seconds = time.monotonic() - started
    done = {name: found.rows for name, found in stored.items() if isinstance(found, Stored)}
    failed = {name: found for name, found in stored.items() if isinstance(found, ReportError)}
    for name, error in failed.items():
        log.error("The report %s of %s was not computed: %s", name, day.key, error)
    log.info("metrics %s: %s in %.1f s", day.key, done, seconds)
    with postgres.transaction() as db:
        outdated = outdated_records(db, [*done, METRICS], day.date, of_all_runs=True)
        for report in wanted:
            if report.name in done:
                found = report_metadata(db, report, day)
                if report.name in selected:
                    yield metadata_once(
                        context,
                        dg.MaterializeResult(
                            report.name, metadata=found, data_version=data_version(report)
                        ),
                    )
                else:
                    context.log_event(refreshed(report.name, day.date, found, report))
        numbers = metrics_metadata(db, REPORTS.values(), day)
    others = refresh_few(postgres, list(REPORTS.values()), day, context.log_event)
    if DAILY_METRICS in failed:
        raise PermanentFailure(f"There are no numbers of {day.key}: {failed[DAILY_METRICS]}")
    if METRICS in selected:
        refreshed_days = dg.MetadataValue.json([other.isoformat() for other in others])
        total = {**numbers, "days computed again": refreshed_days, "seconds": seconds}
        yield metadata_once(context, dg.MaterializeResult(METRICS, metadata=total))
    else:
        context.log_event(refreshed(METRICS, day.date, numbers))
    with postgres.transaction() as db:
        settle_records(db, outdated)

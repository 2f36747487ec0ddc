"""The Google Sheet, or the local workbook, shows the day.

Each write brings the sheet to what daily_metrics holds: all days, newest first. So one write is
enough, in whatever order days were loaded, and a second write of a day changes nothing. This step
reads the numbers and writes the sheet under one lock, so a run never overwrites newer numbers with
older ones. A run that finds the sheet busy leaves its day to the next write, and waits for it. A
write waits up to a second for the other runs under way, to show their days too.

The day is checked against the table grader itself. A day whose reports were computed again with
this one, because an earlier day has changed, gets its record too.

Each report with a worksheet is written too. If one of them could not be computed for the day, the
run fails after the write and names the file. Then no mail says that the report is ready.

Source: metrics and the reports. Readers are Russian-speaking course staff.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import dagster as dg

from grader_pipeline import checks
from grader_pipeline.asset_names import DAILY_METRICS, METRICS, SHEET_REPORT
from grader_pipeline.assets import GROUP, metadata_once
from grader_pipeline.assets.materializations import record_sheet, sheet_metadata
from grader_pipeline.assets.step4_metrics import REPORTS
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import SchoolDay, day_of, days_partitions
from grader_pipeline.reports.definition import NAMES_WORKSHEET
from grader_pipeline.reports.names import read_nameable, read_named, read_names, store_names
from grader_pipeline.reports.records import Outdated, outdated_records, settle_records
from grader_pipeline.reports.tables import count_rows, failures, stored_days
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.schedule import sheet_freshness
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.shared_write import (
    await_others,
    drop_request,
    made_of,
    note_place,
    place_of,
    request_day,
    requested_days,
    with_known_labels,
)
from grader_pipeline.sheet.table import Table, daily_report
from grader_pipeline.sheet.today import today
from grader_pipeline.sheet.update import Written
from grader_pipeline.sheet.worksheets import (
    NAMES_TAB,
    has_worksheet,
    in_order_of_use,
    names_table,
    worksheet,
)
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)


@dg.asset(
    description=__doc__,
    group_name=GROUP,
    kinds={"googlesheets"},
    partitions_def=days_partitions(),
    deps=[METRICS],
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
    started_runs = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    under_way = partial(context.instance.get_runs_count, started_runs)
    with sheet_with(postgres, sheets, day, context.run.run_id, under_way) as (db, shown, outdated):
        found = sheet_metadata(db, day, shown.where)
        facts = _facts(db, day)
        waiting = waiting_days(db, only_outdated=True)
        for _, other in outdated:
            if other != day.date:
                record_sheet(db, other, shown.where, context.log_event)
    seconds = time.monotonic() - started
    waited = postgres.waits.in_words(context)
    log.info(
        "sheet_report %s: %d cells written in %.1f s; the run waited for others %s",
        day.key, shown.cells, seconds, waited,
    )  # fmt: skip
    result: dg.MaterializeResult = dg.MaterializeResult(
        metadata={
            **found,
            "written": shown.written,
            "days that wait": len(waiting),
            "the run waited for others": waited,
            "seconds": seconds,
        },
        check_results=checks.results(SHEET_REPORT, facts),
    )
    yield metadata_once(context, result)
    with postgres.transaction() as db:
        settle_records(db, outdated)
    if facts.failures:
        causes = " ".join(facts.failures.values())
        raise PermanentFailure(
            f"The sheet shows {day.key} without {len(facts.failures)} of its reports: {causes} "
            "Correct the file and run the day's metrics and sheet_report again."
        )


@contextmanager
def sheet_with(
    postgres: Postgres,
    sheets: Sheets,
    day: SchoolDay,
    run_id: str,
    under_way: Callable[[], int] = lambda: 1,
) -> Iterator[tuple[Connection, Written, Outdated]]:
    """Make the sheet show a day, and give what was written and the outdated records.

    The lock ``sheet_report`` is held until the block ends. If another run has written the day while
    this one waited for the lock, it is not written again. ``under_way`` gives how many runs there
    are, this one too.

    Raises PermanentFailure if the day has no numbers, and as ``Sheets.show`` does.
    """
    with postgres.transaction() as db:
        if not count_rows(db, REPORTS[DAILY_METRICS], day):
            raise PermanentFailure(f"daily_metrics has nothing for {day.key}: materialize metrics.")
        own = outdated_records(db, [SHEET_REPORT], day.date, run_id=run_id)
        request = request_day(db, day.date)
    with postgres.transaction(lock="sheet_report") as db:
        if place := place_of(db, request):
            log.info("sheet_report %s: another run has written it", day.key)
            yield db, Written(place, lines=0, cells=0, written=True), own
            return

        def await_runs() -> None:
            with postgres.waits.waiting_for("runs whose days it writes"):
                await_others(db, under_way)

        outdated = outdated_records(db, [SHEET_REPORT], run_id=run_id)
        shown = write_sheet(db, sheets, await_runs)
        drop_request(db, request)
        yield db, shown, outdated


def write_sheet(
    db: Connection, sheets: Sheets, await_runs: Callable[[], object] = lambda: None
) -> Written:
    """Bring the sheet to what the tables hold, all days. ``db`` has the lock ``sheet_report``.

    A workbook that shows it already is left alone. Other runs whose days wait find them written:
    ``await_runs`` is called before the days are read. What readers named courses and tasks is shown
    at once.
    """
    shown = sheets.shown(made_of(db, REPORTS.values()))
    if shown is None:
        await_runs()
    requests = requested_days(db)
    outdated = outdated_records(db, [SHEET_REPORT], of_all_runs=True)
    days = {*requests.values(), *(date for _, date in outdated)}
    shown = shown or _show(db, sheets, days)
    if _store_names(db, shown):
        # The sheet's lines of all days have other names now.
        named = _show(db, sheets, None)
        cells, written = shown.cells + named.cells, shown.written or named.written
        shown = replace(named, cells=cells, written=written)
    note_place(db, requests, shown.where)
    return shown


def _show(db: Connection, sheets: Sheets, days: Collection[dt.date] | None) -> Written:
    found = made_of(db, REPORTS.values())
    rows = db.execute(statement("reading/all_metrics")).fetchall()
    former = REPORTS[DAILY_METRICS].formerly
    tables = [*daily_report(rows, former), *_worksheets(db)]
    glance = today(rows, tables)
    known = with_known_labels(db, [glance, *tables] if glance else tables)
    return sheets.show(known, days, found)


def _store_names(db: Connection, shown: Written) -> bool:
    """Store what readers named courses and tasks. True if something is shown by another name."""
    if (lines := shown.readers.get(NAMES_WORKSHEET)) is None:
        return False
    before = read_names(db).shown
    for what, why in store_names(db, lines).items():
        log.warning("«%s»: the name of %s is not used: %s.", NAMES_WORKSHEET, what, why)
    return read_names(db).shown != before


def _facts(db: Connection, day: SchoolDay) -> checks.ShownDay:
    found = list(REPORTS.values())
    given = {"reports": list(REPORTS), **day.parameters}
    state = db.execute(statement("checks/reports_of_day"), given).fetchone() or {}
    lines = db.execute(statement("reading/day_metrics"), day.parameters).fetchall()
    return checks.ShownDay(
        failures=failures(db, found, day),
        outdated=state["outdated"],
        changed_by_others=state["changed_by_others"],
        table=db.execute(statement("checks/day_in_grader"), day.parameters).fetchone() or {},
        shown={line["metric"]: line["value"] for line in lines},
    )


def _worksheets(db: Connection) -> list[Table]:
    """The worksheets of the reports that have one, and that of names, in the order of use."""
    formerly = read_names(db).formerly
    found = [(NAMES_TAB, names_table(read_nameable(db)))]
    for report in filter(has_worksheet, REPORTS.values()):
        days = report.sheet if isinstance(report.sheet, int) else None
        rows = read_named(db, report, days=days)
        found.append((report.tab, worksheet(report, rows, stored_days(db, report), formerly)))
    return in_order_of_use(found)

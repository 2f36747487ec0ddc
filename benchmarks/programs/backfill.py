"""Days through everything that a user's days go through: GraphQL, daemon, queue, runs.

``python -m benchmarks.programs.backfill FIRST_DAY DAYS``: all assets of the days, then, from the
stored answers and without the API, all but the first. With ``--singly``: all assets of the days,
each once the day before it is done; then the same days again, and again with EARLIER_RUNS more in
Dagster. New days would not compare, because each makes the workbook larger.

Of each backfill it says the ``wall`` seconds from the request to the end of the last run, and what
a run's seconds went into. By the day: the ``cpu`` seconds of the run's process, those of PostgreSQL
meanwhile (``server``), the bytes of its ``events`` as stored, and by how much all of Dagster's
``records`` grow.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import psycopg

from benchmarks.programs import reported
from benchmarks.servers import server_of
from grader_pipeline.asset_names import ASSET_NAMES
from grader_pipeline.local.services import free_port
from grader_pipeline.local.stack import Stack, running
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.report_files import reports
from grader_pipeline.runs.dagster_schema import SCHEMA
from grader_pipeline.settings import Settings

BACKFILL = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(
    backfillParams: $params) { ... on LaunchBackfillSuccess { backfillId } } }"""
RUNS = """query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs {
    results { %s } } } }"""
STATUS = RUNS % "status"
TIMES = (
    RUNS
    % """runId creationTime startTime endTime stats { ... on RunStatsSnapshot { launchTime } }
    stepStats { startTime endTime }"""
)
_COPY_RUN = Path(__file__).parents[1] / "sql" / "earlier_runs.sql"
EVENTS = """SELECT sum(pg_column_size(event)) FROM event_logs WHERE run_id = ANY(%s)
            GROUP BY run_id"""
RECORDS = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class
             WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"""
PATIENCE = 60
EARLIER_RUNS = 1_000
RUN_SERVER = "grader_pipeline.runs.run_server"


def main() -> None:
    """Backfill the days, in one of the two ways."""
    first, count = school_day(sys.argv[1]), int(sys.argv[2])
    days = [str(first.date.fromordinal(first.date.toordinal() + n)) for n in range(count)]
    assets = [*ASSET_NAMES, *(report.name for report in reports())]
    with running(Settings(), "127.0.0.1", free_port()) as stack, reported() as said:
        stack.start_daemon()
        # What it prepares before the first run is none of a run's.
        stack.services.wait_until(lambda: cpu_of_runs() > 0, PATIENCE)
        if "--singly" in sys.argv:
            for name in ("singly", "again", "later"):
                if name == "later":
                    add_earlier_runs(stack)
                said[name] = [backfill(stack, [day], assets) for day in days]
        else:
            said["fetched"] = backfill(stack, days, assets)
            said["stored"] = backfill(stack, days, assets[1:])


def backfill(stack: Stack, days: list[str], assets: list[str]) -> dict[str, Any]:
    """Launch a backfill and wait for its last run.

    Raises RuntimeError when a day fails.
    """
    server = server_of(stack.database_url)
    begun, cpu, records = time.perf_counter(), cpu_of_runs(), bytes_of_records(stack)
    of_server = server.cpu()
    params = {
        "assetSelection": [{"path": [asset]} for asset in assets],
        "partitionNames": days,
        "tags": [],
    }
    launched = stack.ask(BACKFILL, {"params": params})["launchPartitionBackfill"]
    tag = {"key": "dagster/backfill", "value": launched["backfillId"]}

    def runs(query: str) -> list[dict[str, Any]]:
        answer = stack.ask(query, {"filter": {"tags": [tag]}})
        return list(answer["runsOrError"]["results"])

    while True:
        # Seldom and little, for every question costs the two cores that runs want.
        time.sleep(1)
        stack.services.check()
        reached = [run["status"] for run in runs(STATUS)]
        if {"FAILURE", "CANCELED"} & set(reached):
            # The home is a folder of this measurement, and goes with it.
            told = (Settings().logs_dir / "app_log.txt").read_text()
            raise RuntimeError(f"A day of the backfill failed. The log ends:\n{told[-5000:]}")
        if reached == ["SUCCESS"] * len(days):
            wall, found = time.perf_counter() - begun, runs(TIMES)
            return {
                "wall": wall,
                "cpu": (cpu_of_runs() - cpu) / len(days),
                "server": (server.cpu() - of_server) / len(days),
                "events": bytes_of_events(stack, [run["runId"] for run in found]),
                "records": (bytes_of_records(stack) - records) / len(days),
                **parts(found),
            }


def cpu_of_runs() -> float:
    """CPU seconds of all runs so far, once the last one has ended. 0 without a run server."""
    server = run_server()
    while server and server.children():
        time.sleep(0.05)
    times = server and server.cpu_times()
    return float(times.children_user + times.children_system) if times else 0


def run_server() -> psutil.Process | None:
    """The process that forks the runs, which have its command line."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if RUN_SERVER in process.cmdline():
                found.append(process)
    return min(found, key=psutil.Process.create_time, default=None)


def bytes_of_events(stack: Stack, runs: list[str]) -> float:
    """The stored bytes of a run's events in Dagster's event log, the median of the runs."""
    return float(median(row[0] for row in of_dagster(stack, EVENTS, [runs])))


def add_earlier_runs(stack: Stack) -> None:
    """Copy the newest run, as if it had been the mornings of three years."""
    ((run,),) = of_dagster(stack, "SELECT run_id FROM runs ORDER BY id DESC LIMIT 1")
    with dagster_tables(stack) as db:
        db.execute(_COPY_RUN.read_bytes(), {"run_id": run, "copies": EARLIER_RUNS})
    with dagster_tables(stack, autocommit=True) as db:
        db.execute("VACUUM (ANALYZE)")


def bytes_of_records(stack: Stack) -> int:
    """The bytes of Dagster's tables and their indexes."""
    ((size,),) = of_dagster(stack, RECORDS)
    return int(size)


def of_dagster(stack: Stack, query: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Ask for something in the schema of Dagster's tables."""
    with dagster_tables(stack) as db:
        return db.execute(query, given).fetchall()


def dagster_tables(stack: Stack, *, autocommit: bool = False) -> psycopg.Connection:
    """A connection that finds Dagster's tables, and takes several statements at once."""
    return psycopg.connect(
        stack.database_url, options=f"-c search_path={SCHEMA}", autocommit=autocommit,
        cursor_factory=psycopg.ClientCursor,
    )  # fmt: skip


def parts(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Where a run's seconds went, as medians."""

    def steps(run: dict[str, Any]) -> float:
        return sum(float(step["endTime"] - step["startTime"]) for step in run["stepStats"])

    return {
        "queued": median(run["stats"]["launchTime"] - run["creationTime"] for run in runs),
        "starting": median(run["startTime"] - run["stats"]["launchTime"] for run in runs),
        "steps": median(steps(run) for run in runs),
        "run": median(run["endTime"] - run["startTime"] for run in runs),
    }


if __name__ == "__main__":
    main()

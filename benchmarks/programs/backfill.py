"""A backfill through everything that a user's backfill goes through: GraphQL, daemon, queue, runs.

``python -m benchmarks.programs.backfill FIRST_DAY DAYS``: all assets of the days, then, from the
stored answers and without the API, all but the first. Says of both the ``wall`` seconds from the
request to the end of the last run, and what a run's seconds went into.
"""

import sys
import time
from statistics import median
from typing import Any

from benchmarks.programs import reported
from grader_pipeline.asset_names import ASSET_NAMES
from grader_pipeline.local.services import free_port
from grader_pipeline.local.stack import Stack, running
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.report_files import reports
from grader_pipeline.settings import Settings

BACKFILL = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(
    backfillParams: $params) { ... on LaunchBackfillSuccess { backfillId } } }"""
RUNS = """query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs {
    results { %s } } } }"""
STATUS = RUNS % "status"
TIMES = (
    RUNS
    % """creationTime startTime endTime stats { ... on RunStatsSnapshot { launchTime } }
    stepStats { startTime endTime }"""
)


def main() -> None:
    """Backfill the days twice."""
    first, count = school_day(sys.argv[1]), int(sys.argv[2])
    days = [str(first.date.fromordinal(first.date.toordinal() + n)) for n in range(count)]
    assets = [*ASSET_NAMES, *(report.name for report in reports())]
    with running(Settings(), "127.0.0.1", free_port()) as stack, reported() as said:
        stack.start_daemon()
        said["fetched"] = backfill(stack, days, assets)
        said["stored"] = backfill(stack, days, assets[1:])


def backfill(stack: Stack, days: list[str], assets: list[str]) -> dict[str, Any]:
    """Launch a backfill and wait for its last run.

    Raises RuntimeError when a day fails.
    """
    begun = time.perf_counter()
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
            return {"wall": time.perf_counter() - begun, **parts(runs(TIMES))}


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

"""What the tests ask of Dagster, as its UI does: backfills, runs, and to stop one."""

import time
from typing import Any

from grader_pipeline_tests.hosts.world import Rest, School

STATUS = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status } } }"""
RUNS = """query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {
    runId rootRunId status startTime endTime tags { key value } } } } }"""
STOP = """mutation ($id: String!) { terminateRun(runId: $id) {
    __typename ... on TerminateRunFailure { message } ... on PythonError { message } } }"""


def is_done(up: School, name: str) -> bool:
    status = up.ask(STATUS, {"id": name})["partitionBackfillOrError"]["status"]
    assert status in {"REQUESTED", "COMPLETED_SUCCESS"}, status
    return bool(status == "COMPLETED_SUCCESS")


def runs(up: School, **tags: str) -> list[dict[str, Any]]:
    chosen = [{"key": key, "value": value} for key, value in tags.items()]
    return list(up.ask(RUNS, {"filter": {"tags": chosen}})["runsOrError"]["results"])


def of_backfill(up: School, name: str) -> list[dict[str, Any]]:
    return runs(up, **{"dagster/backfill": name})


def root(run: dict[str, Any]) -> str:
    """The run that a run is, or retries."""
    return str(run["rootRunId"] or run["runId"])


def days_a_minute(up: School, name: str) -> float:
    """From the first start to the last end of the runs of a backfill."""
    found = of_backfill(up, name)
    seconds = max(r["endTime"] for r in found) - min(r["startTime"] for r in found)
    return 60 * len(found) / seconds


def status(up: School, run: str) -> str:
    query = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
    return str(up.ask(query, {"id": run})["runOrError"]["status"])


def stop(up: School, run: str) -> None:
    answer = up.ask(STOP, {"id": run})["terminateRun"]
    assert answer["__typename"] == "TerminateRunSuccess", answer


def at_rest(up: School) -> Rest:
    """What there is while no run goes on: the fewest sessions of ten seconds."""
    ticks = "SELECT count(*) AS number FROM dagster.job_ticks"
    sessions = (
        "SELECT count(*) AS number FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    found = []
    for _ in range(20):
        found.append(up.rows(sessions)[0]["number"])
        time.sleep(0.5)
    return Rest(up.rows(ticks)[0]["number"], min(found))

"""What the tests ask of Dagster, as its UI does: backfills, runs, and to stop one."""

from typing import Any

from grader_pipeline.roles.instance import LOCATION
from grader_pipeline_tests.hosts.world import School
from grader_pipeline_tests.stacks import LAUNCH

ASSETS = ("raw_attempts", "validated_attempts", "grader_table", "metrics", "sheet_report")

START = """mutation ($params: LaunchBackfillParams!) {
    launchPartitionBackfill(backfillParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status } } }"""
RUNS = """query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {
    runId rootRunId status startTime endTime tags { key value } } } } }"""
STOP = """mutation ($id: String!) { terminateRun(runId: $id) {
    __typename ... on TerminateRunFailure { message } ... on PythonError { message } } }"""


def backfill(up: School, of: list[str]) -> str:
    params = {"assetSelection": [{"path": [name]} for name in ASSETS], "partitionNames": of}
    started = up.ask(START, {"params": params})["launchPartitionBackfill"]
    assert started["__typename"] == "LaunchBackfillSuccess", started
    return str(started["backfillId"])


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


def launch(up: School, day: str) -> str:
    job = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
    params = {
        "selector": {**job, "jobName": "grader_day"},
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": day}]},
    }
    return str(up.ask(LAUNCH, {"params": params})["launchRun"]["run"]["runId"])


def status(up: School, run: str) -> str:
    query = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
    return str(up.ask(query, {"id": run})["runOrError"]["status"])


def stop(up: School, run: str) -> None:
    answer = up.ask(STOP, {"id": run})["terminateRun"]
    assert answer["__typename"] == "TerminateRunSuccess", answer

"""The launcher's processes with a home of their own, and runs that they are asked for."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from grader_pipeline.asset_names import ASSET_NAMES
from grader_pipeline.local.services import free_port
from grader_pipeline.local.stack import COMMAND, Stack, running
from grader_pipeline.roles.instance import LOCATION
from grader_pipeline.settings import Settings, variables

LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
    ... on LaunchRunSuccess { run { runId } } } }"""
REPORT = """-- title: Own

SELECT count(*) FROM attempt WHERE created_at >= %(day_start)s AND created_at < %(day_end)s
"""
RUNS = "{ runsOrError { ... on Runs { results { runId rootRunId status } } } }"
BACKFILL = """mutation ($params: LaunchBackfillParams!) {
    launchPartitionBackfill(backfillParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""


def own_report(folder: Path) -> Path:
    """Write a report to the folder of a test's GRADER_REPORTS; give its file.

    To change it is to change the code of this test's processes, and of no other test's.
    """
    (file := folder / "own.sql").write_text(REPORT)
    return file


@contextmanager
def whole_stack(*, has_worker: bool = True, **settings: str) -> Iterator[Stack]:
    """All processes, the daemon too, with these settings and no others.

    Without a worker, the runs wait for those that a test starts.
    """
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as env:
        for name in variables():
            env.delenv(name, raising=False)
        env.chdir(home)
        for name, value in {"GRADER_HOME": home, **settings}.items():
            env.setenv(name, value)
        with running(Settings(), "127.0.0.1", free_port()) as up:
            if has_worker:
                up.start_daemon()
            else:
                up.services.start("daemon", *COMMAND, "daemon")
            yield up


def api(url: str, client: str) -> dict[str, str]:
    """The settings of a grader's API."""
    names = ("GRADER_API_URL", "GRADER_API_CLIENT", "GRADER_API_CLIENT_KEY")
    return dict(zip(names, (url, client, client), strict=True))


class Asks(Protocol):
    """Something that sends Dagster's GraphQL a query."""

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]: ...


def launch(stack: Asks, day: str) -> str:
    """Ask for a run of a day, as the UI does; give its id."""
    job = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
    params = {
        "selector": {**job, "jobName": "grader_day"},
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": day}]},
    }
    return str(stack.ask(LAUNCH, {"params": params})["launchRun"]["run"]["runId"])


def backfill(stack: Asks, days: Sequence[str]) -> str:
    """Ask for a backfill of all steps of some days, as the UI does; give its id."""
    params = {"assetSelection": [{"path": [name]} for name in ASSET_NAMES], "partitionNames": days}
    started = stack.ask(BACKFILL, {"params": params})["launchPartitionBackfill"]
    assert started["__typename"] == "LaunchBackfillSuccess", started
    return str(started["backfillId"])

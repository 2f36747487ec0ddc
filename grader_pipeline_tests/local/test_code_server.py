"""The code is served again when its server dies, and what waits for it goes on."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from grader_pipeline.local.code_watch import CodeWatch
from grader_pipeline.local.services import free_port
from grader_pipeline.local.stack import CODE_SERVER, Stack, running
from grader_pipeline.settings import Settings
from grader_pipeline.statements import SQL
from grader_pipeline_tests.waiting import eventually

START = """mutation ($params: LaunchBackfillParams!) {
    launchPartitionBackfill(backfillParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
LOOK = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } runs { status } } } }"""
ASSETS = ("raw_attempts", "validated_attempts", "grader_table", "metrics", "sheet_report")


@pytest.fixture
def stack() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as env:
        env.chdir(home)
        env.setenv("GRADER_HOME", home)
        with running(Settings(), "127.0.0.1", free_port()) as up:
            up.start_daemon()
            ends = threading.Event()

            code = CodeWatch(up.services)

            def watch() -> None:
                while not ends.wait(0.5):
                    up.services.check()
                    code.look()

            watching = threading.Thread(target=watch)
            watching.start()
            yield up
            ends.set()
            watching.join()


def serving(stack: Stack) -> int:
    """The pid of the process that the launcher watches."""
    return stack.services._services[CODE_SERVER].process.pid


def backfill(stack: Stack, days: int) -> str:
    params = {
        "assetSelection": [{"path": [name]} for name in ASSETS],
        "partitionNames": [f"2023-05-{day:02}" for day in range(1, days + 1)],
    }
    started: dict[str, Any] = stack.ask(START, {"params": params})["launchPartitionBackfill"]
    assert started["__typename"] == "LaunchBackfillSuccess", started
    return str(started["backfillId"])


@pytest.mark.timeout(300)
def test_a_killed_code_server_serves_again_within_15_s_and_an_open_backfill_goes_on(
    stack: Stack,
) -> None:
    days = 12
    found: dict[str, Any] = {}

    def look() -> dict[str, Any]:
        found.update(stack.ask(LOOK, {"id": name})["partitionBackfillOrError"])
        return found

    name = backfill(stack, days)
    assert eventually(lambda: len(look()["runs"]) > 1, 60), found
    first = serving(stack)
    assert not psutil.Process(first).children(), "it serves itself, and not a child of it"
    os.kill(first, signal.SIGKILL)
    killed = time.monotonic()
    assert eventually(lambda: serving(stack) != first and stack.is_loaded(), 60)
    assert time.monotonic() - killed < 15
    assert eventually(lambda: look()["status"] == "COMPLETED_SUCCESS", 180), found
    assert [run["status"] for run in found["runs"]] == ["SUCCESS"] * days


@pytest.mark.timeout(200)
def test_changed_code_is_served_without_anybodys_doing(stack: Stack) -> None:
    first = serving(stack)
    os.utime(next(SQL.rglob("*.sql")))
    assert eventually(lambda: serving(stack) != first, 30)
    assert eventually(stack.is_loaded, 60)

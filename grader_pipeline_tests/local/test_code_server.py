"""The code is served again when its server dies, and what waits for it goes on."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader_pipeline.local import services
from grader_pipeline.local.code_watch import CodeWatch
from grader_pipeline.local.stack import CODE_SERVER, Stack
from grader_pipeline.roles.instance import LOCATION
from grader_pipeline.runs.code_files import _folders
from grader_pipeline_tests.stacks import REPORT, backfill, own_report, whole_stack
from grader_pipeline_tests.waiting import eventually

LOOK = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } runs { status eventConnection { events {
        ... on ExecutionStepFailureEvent { error { message } } } } } } } }"""
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    __typename ... on PythonError { message cause { message } } } } } } }"""
SENSORS = """query ($at: RepositorySelector!) { sensorsOrError(repositorySelector: $at) {
    ... on Sensors { results { name sensorState { status ticks(limit: 1) {
        timestamp status } } } } } }"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of GRADER_REPORTS."""
    return own_report(tmp_path_factory.mktemp("reports")).parent


@pytest.fixture(scope="module")
def stack(reports: Path) -> Iterator[Stack]:
    _folders.cache_clear()
    with whole_stack(GRADER_REPORTS=str(reports)) as up:
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
    _folders.cache_clear()


def serving(stack: Stack) -> int:
    """The pid of the process that the launcher watches."""
    return stack.services._services[CODE_SERVER].process.pid


def first_days(number: int) -> list[str]:
    return [f"2023-05-{day:02}" for day in range(1, number + 1)]


@pytest.mark.timeout(300)
def test_a_killed_code_server_serves_again_within_15_s_and_an_open_backfill_goes_on(
    stack: Stack,
) -> None:
    days = 12
    found: dict[str, Any] = {}

    def look() -> dict[str, Any]:
        found.update(stack.ask(LOOK, {"id": name})["partitionBackfillOrError"])
        return found

    name = backfill(stack, first_days(days))
    assert eventually(lambda: len(look()["runs"]) > 1, 60), found
    first = serving(stack)
    assert not psutil.Process(first).children(), "it serves itself, and not a child of it"
    os.kill(first, signal.SIGKILL)
    killed = time.monotonic()
    assert eventually(lambda: serving(stack) != first and stack.is_loaded(), 60)
    assert time.monotonic() - killed < 15
    assert eventually(lambda: look()["status"] == "COMPLETED_SUCCESS", 180), found
    failures = [event for run in found["runs"] for event in run["eventConnection"]["events"]]
    assert [event for event in failures if event] == []
    assert [run["status"] for run in found["runs"]] == ["SUCCESS"] * days

    # Sensors are evaluated by the new server.
    served = time.time()
    assert eventually(lambda: all(tick > served for tick in last_ticks(stack).values()), 90)


@pytest.mark.timeout(300)
def test_an_open_backfill_waits_for_a_code_server_that_is_away_for_longer(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert eventually(stack.is_loaded, 60)
    # The server before may have been killed a few seconds ago.
    monkeypatch.setattr(services, "PAUSES", (30, 30))
    name = backfill(stack, first_days(4))
    os.kill(serving(stack), signal.SIGKILL)
    # The UI and the daemon give the code up after ten looks.
    assert eventually(lambda: not stack.is_loaded(), 60)

    def status() -> str:
        return str(stack.ask(LOOK, {"id": name})["partitionBackfillOrError"]["status"])

    assert eventually(stack.is_loaded, 90)
    assert eventually(lambda: status() == "COMPLETED_SUCCESS", 120), status()


def last_ticks(stack: Stack) -> dict[str, float]:
    """When each sensor that is on was evaluated last without a failure."""
    at = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
    found = stack.ask(SENSORS, {"at": at})["sensorsOrError"]["results"]
    ticks: dict[str, float] = {}
    for sensor in found:
        if sensor["sensorState"]["status"] == "RUNNING":
            for tick in sensor["sensorState"]["ticks"]:
                if tick["status"] in {"SKIPPED", "SUCCESS"}:
                    ticks[sensor["name"]] = tick["timestamp"]
            ticks.setdefault(sensor["name"], 0)
    assert ticks
    return ticks


@pytest.mark.timeout(200)
def test_a_code_server_that_hangs_is_replaced_and_the_code_is_served_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert eventually(stack.is_loaded, 60)
    monkeypatch.setattr(services, "YOUNG_SECONDS", 1)
    first = serving(stack)
    os.kill(first, signal.SIGSTOP)
    stopped = time.monotonic()
    assert eventually(lambda: serving(stack) != first, 60)
    assert time.monotonic() - stopped < 25
    assert eventually(stack.is_loaded, 60)


@pytest.mark.timeout(200)
def test_changed_code_is_served_without_anybodys_doing_and_what_is_wrong_with_it_is_shown(
    stack: Stack, reports: Path
) -> None:
    assert eventually(stack.is_loaded, 60)
    # A name that is in both folders of reports stops all definitions.
    report = reports / "hours.sql"
    # The server that the test before has started may still import, and so see the report too.
    first = serving(stack)
    report.write_text(REPORT)

    def shown() -> str:
        return str(stack.ask(LOCATIONS)["workspaceOrError"]["locationEntries"])

    assert eventually(lambda: serving(stack) != first and "hours" in shown(), 60), shown()
    report.unlink()
    assert eventually(stack.is_loaded, 60), shown()


@pytest.mark.timeout(300)
def test_code_that_cannot_be_loaded_at_the_start_is_shown_at_once_and_served_when_it_can_be(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.sql").write_text(REPORT)
    # A name that is in both folders of reports stops all definitions.
    report = tmp_path / "hours.sql"
    report.write_text(REPORT)
    _folders.cache_clear()
    with whole_stack(GRADER_REPORTS=str(tmp_path)) as up:
        assert "hours" in str(up.code_error())
        assert not up.is_loaded()
        watch = CodeWatch(up.services)
        report.unlink()

        def is_served() -> bool:
            up.services.check()
            watch.look()
            return up.is_loaded()

        assert eventually(is_served, 90), up.code_error()
        assert up.code_error() is None
    _folders.cache_clear()

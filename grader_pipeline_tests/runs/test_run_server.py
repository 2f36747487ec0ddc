"""Runs and their processes: how the launcher's Dagster starts, loses and stops them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

import grader_pipeline
from grader_pipeline.local.stack import Stack
from grader_pipeline.roles.instance import environment, write_home
from grader_pipeline.roles.migrate import require_schema
from grader_pipeline.settings import Settings
from grader_pipeline_tests import grader
from grader_pipeline_tests.grader import Grader, attempt, rows
from grader_pipeline_tests.processes import asked, processes_of
from grader_pipeline_tests.stacks import RUNS, api, launch, own_report, whole_stack
from grader_pipeline_tests.waiting import eventually

DAY = "2023-05-31"
SERVER = "grader_pipeline.runs.run_server"

STOP = "mutation ($run: String!) { terminateRun(runId: $run) { __typename } }"
LOOK = """query ($run: ID!) { runOrError(runId: $run) { ... on Run { status
    eventConnection { events { ... on MessageEvent { message } } } } } }"""


@pytest.fixture(scope="module")
def answering() -> Iterator[Grader]:
    """A grader whose answers wait until ``go_on`` is set."""
    with grader.running() as server:
        yield server


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_report(tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def stack(answering: Grader, report: Path) -> Iterator[Stack]:
    reports = {"GRADER_REPORTS": str(report.parent)}
    with whole_stack(**reports, **api(answering.url, "sample")) as up:
        yield up


@pytest.fixture(autouse=True)
def _waiting(answering: Grader) -> None:
    answering.hold(rows([attempt()]))


def status(stack: Stack, run: str) -> str:
    return str(stack.ask(LOOK, {"run": run})["runOrError"]["status"])


def said(stack: Stack, run: str) -> str:
    events = stack.ask(LOOK, {"run": run})["runOrError"]["eventConnection"]["events"]
    return "\n".join(event.get("message", "") for event in events)


def run_processes(stack: Stack) -> list[psutil.Process]:
    """The run server's children."""
    home = stack.services.outputs.parents[1]
    words = asked(processes_of(home), lambda process: (process, process.ppid(), called(process)))
    ours = [(process, parent) for process, parent, said in words if f"-m {SERVER}" in said]
    # Its copies are called like it.
    pids = {process.pid for process, _ in ours}
    (server,) = [process for process, parent in ours if parent not in pids]
    states = asked(server.children(), lambda child: (child, child.status()))
    return [child for child, state in states if state != psutil.STATUS_ZOMBIE]


def called(process: psutil.Process) -> str:
    return " ".join(process.cmdline())


def has_asked(answering: Grader, before: int) -> bool:
    return len(answering.requests) > before


def test_a_killed_run_is_reported_and_its_day_is_taken_up_again(
    stack: Stack, answering: Grader
) -> None:
    before = len(answering.requests)
    run = launch(stack, DAY)
    assert eventually(lambda: has_asked(answering, before), 60)
    (process,) = run_processes(stack)
    process.kill()
    assert eventually(lambda: status(stack, run) == "FAILURE")
    assert "was terminated by signal 9 (SIGKILL)" in said(stack, run)
    answering.go_on.set()

    def retried() -> bool:
        runs = stack.ask(RUNS)["runsOrError"]["results"]
        return any(
            again["rootRunId"] == run and again["status"] == "SUCCESS" and again["runId"] != run
            for again in runs
        )

    assert eventually(retried, 90)


def test_a_terminated_run_ends_as_canceled_and_its_process_is_gone(
    stack: Stack, answering: Grader
) -> None:
    with psycopg.connect(stack.database_url) as db:
        loads = db.execute("SELECT * FROM grader_load").fetchall()
    before = len(answering.requests)
    run = launch(stack, DAY)
    assert eventually(lambda: has_asked(answering, before), 60)
    assert stack.ask(STOP, {"run": run})["terminateRun"]["__typename"] == "TerminateRunSuccess"
    assert eventually(lambda: status(stack, run) == "CANCELED")
    assert eventually(lambda: not run_processes(stack))
    with psycopg.connect(stack.database_url) as db:
        assert db.execute("SELECT * FROM grader_load").fetchall() == loads


def test_a_run_that_starts_after_the_code_has_changed_imports_it_anew(
    stack: Stack, answering: Grader, report: Path
) -> None:
    before = len(answering.requests)
    launch(stack, DAY)
    assert eventually(lambda: has_asked(answering, before), 60)
    # While a run is under way, the server cannot begin anew itself.
    os.utime(report)
    run = launch(stack, DAY)
    assert eventually(lambda: len(run_processes(stack)) == 2)
    assert eventually(lambda: any("execute_run" in called(p) for p in run_processes(stack)))
    answering.go_on.set()
    assert eventually(lambda: status(stack, run) == "SUCCESS", 60), said(stack, run)


def test_the_server_outlives_code_that_is_saved_half_way(tmp_path: Path, database_url: str) -> None:
    shutil.copytree(*grader_pipeline.__path__, tmp_path / "grader_pipeline")
    definitions = tmp_path / "grader_pipeline" / "definitions.py"
    whole = definitions.read_text()
    definitions.write_text(whole + "\ndef half(")
    settings = Settings(grader_home=tmp_path / "home")
    write_home(settings)
    require_schema(settings, database_url)
    path = tmp_path / "runs.sock"
    with subprocess.Popen(
        [sys.executable, "-m", SERVER, str(path)],
        cwd=tmp_path,
        env=environment(settings, database_url),
    ) as server:
        try:
            assert eventually(path.exists, 60)
            first = path.stat().st_mtime_ns
            definitions.write_text(whole)
            assert eventually(lambda: path.exists() and path.stat().st_mtime_ns != first, 60)
            assert server.poll() is None
        finally:
            server.kill()

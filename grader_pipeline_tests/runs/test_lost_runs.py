"""A run that lost its process, or its server, is noticed soon and costs its day one retry."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from grader_pipeline.local.stack import Stack
from grader_pipeline_tests import grader
from grader_pipeline_tests.grader import Grader, attempt, rows
from grader_pipeline_tests.stacks import RUNS, api, launch, whole_stack
from grader_pipeline_tests.waiting import eventually

DAY = "2023-05-31"


@pytest.fixture
def answering() -> Iterator[Grader]:
    """A grader whose answers wait until ``go_on`` is set."""
    with grader.running() as server:
        server.hold(rows([attempt()]))
        yield server
        server.go_on.set()


@pytest.fixture
def stack(answering: Grader) -> Iterator[Stack]:
    with whole_stack(**api(answering.url, "school")) as up:
        yield up


def statuses(stack: Stack, run: str) -> list[str]:
    """The status of a run and of its retries, oldest first."""
    runs: list[dict[str, Any]] = stack.ask(RUNS)["runsOrError"]["results"]
    return [each["status"] for each in reversed(runs) if run in (each["runId"], each["rootRunId"])]


def kill(stack: Stack, name: str) -> None:
    process = stack.services._services[name].process
    process.kill()
    process.wait()


@pytest.mark.timeout(300)
def test_a_run_that_lost_its_server_has_one_retry_which_the_new_server_does_not_fail(
    stack: Stack, answering: Grader
) -> None:
    run = launch(stack, DAY)
    assert eventually(lambda: bool(answering.requests), 60)
    kill(stack, "worker")
    answering.go_on.set()
    wait = stack.services.wait_until
    assert wait(lambda: "SUCCESS" in statuses(stack, run), 120), statuses(stack, run)
    assert statuses(stack, run) == ["FAILURE", "SUCCESS"]


@pytest.mark.timeout(300)
def test_a_run_that_is_lost_while_it_starts_is_noticed_within_30_s_of_the_daemons_start(
    stack: Stack, answering: Grader
) -> None:
    answering.go_on.set()
    # The daemon waits for a run server, to which it gives the run, and dies.
    kill(stack, "worker")
    run = launch(stack, DAY)
    assert eventually(lambda: statuses(stack, run) == ["STARTING"], 60)
    kill(stack, "daemon")
    wait = stack.services.wait_until
    started = time.monotonic()
    assert wait(lambda: statuses(stack, run)[0] == "FAILURE", 100), statuses(stack, run)
    # The new daemon imports for some seconds before its first look.
    assert time.monotonic() - started < 40
    assert wait(lambda: "SUCCESS" in statuses(stack, run), 120), statuses(stack, run)
    assert statuses(stack, run) == ["FAILURE", "SUCCESS"]

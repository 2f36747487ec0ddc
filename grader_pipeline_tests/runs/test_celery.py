"""A worker of Celery, and its runs: killed, canceled, delivered twice, of changed code.

Redis, the worker, the daemon, the UI and PostgreSQL are real processes, and really killed.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from grader_pipeline.local.stack import Stack
from grader_pipeline.runs.celery_app import EXECUTE, QUEUE, celery_app, runs_of_workers
from grader_pipeline_tests.broker import Broker
from grader_pipeline_tests.celery_workers import Worker, names, worker
from grader_pipeline_tests.grader import Grader
from grader_pipeline_tests.processes import asked
from grader_pipeline_tests.runs.celery_hosts import (
    DAY,
    STOP,
    has_asked,
    has_ended,
    instance_of,
    process_of,
    runs,
    said,
    statuses,
)
from grader_pipeline_tests.stacks import launch
from grader_pipeline_tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def one(hosts: Stack, outside: dict[str, str]) -> Iterator[Worker]:
    """The only worker, with two slots."""
    with pytest.MonkeyPatch.context() as env:
        for name, value in outside.items():
            env.setenv(name, value)
        with worker(hosts.services._environment, slots=2) as up:
            yield up


@pytest.fixture(autouse=True)
def _has_a_worker(one: Worker, answering: Grader) -> None:
    pass


def places_taken(hosts: Stack) -> int:
    with instance_of(hosts) as instance:
        return instance.event_log_storage.get_concurrency_info("grader_api").active_slot_count


def test_a_run_whose_process_is_killed_fails_within_seconds_and_has_one_retry(
    hosts: Stack, answering: Grader
) -> None:
    run = launch(hosts, DAY)
    assert has_asked(answering)
    assert places_taken(hosts) == 1
    process = process_of(hosts, run)
    process.kill()
    killed = time.monotonic()
    assert eventually(lambda: statuses(hosts, run)[0] == "FAILURE")
    assert time.monotonic() - killed < 10
    assert "was terminated by signal 9 (SIGKILL)" in said(runs(hosts, run)[0])
    assert has_asked(answering, 2)
    assert places_taken(hosts) == 1
    answering.go_on.set()
    assert has_ended(hosts, run, ["FAILURE", "SUCCESS"]), statuses(hosts, run)


def test_a_canceled_run_ends_as_canceled_without_retry_and_its_process_is_gone(
    hosts: Stack, answering: Grader
) -> None:
    run = launch(hosts, DAY)
    assert has_asked(answering)
    process = process_of(hosts, run)
    assert hosts.ask(STOP, {"run": run})["terminateRun"]["__typename"] == "TerminateRunSuccess"
    assert eventually(lambda: statuses(hosts, run) == ["CANCELED"]), statuses(hosts, run)
    assert eventually(lambda: not process.is_running())
    # The worker goes on, and a retry would have come by now.
    answering.go_on.set()
    assert has_ended(hosts, launch(hosts, DAY), ["SUCCESS"])
    assert statuses(hosts, run) == ["CANCELED"]


def test_a_run_that_the_broker_delivers_again_is_not_executed_again(
    hosts: Stack, answering: Grader, redis: Broker
) -> None:
    run = launch(hosts, DAY)
    assert has_asked(answering)
    # While it is under way, and after its end.
    for _ in range(2):
        celery_app().send_task(EXECUTE, (run,), task_id=run)
        assert eventually(lambda: redis.ask.llen(QUEUE) == 0)
        time.sleep(2)
        answering.go_on.set()
        assert has_ended(hosts, run, ["SUCCESS"]), statuses(hosts, run)
    assert len(answering.requests) == 1
    assert eventually(lambda: not runs_of_workers(celery_app()))


def test_a_run_under_way_survives_a_restart_of_the_broker_and_is_executed_once(
    one: Worker, hosts: Stack, answering: Grader, redis: Broker
) -> None:
    run = launch(hosts, DAY)
    assert has_asked(answering)
    redis.kill()
    time.sleep(5)
    redis.start()
    assert eventually(lambda: run in runs_of_workers(celery_app()), 60), one.output()
    time.sleep(25)  # longer than the patience: the monitoring has looked
    assert statuses(hosts, run) == ["STARTED"]
    answering.go_on.set()
    assert has_ended(hosts, run, ["SUCCESS"]), statuses(hosts, run)
    again = launch(hosts, DAY)
    assert has_ended(hosts, again, ["SUCCESS"]), one.output() + said(runs(hosts, again)[0])
    assert len(answering.requests) == 2


def test_changed_code_is_imported_by_the_next_run_and_by_an_idle_worker(
    one: Worker, hosts: Stack, outside: dict[str, str], answering: Grader
) -> None:
    launch(hosts, DAY)
    assert has_asked(answering)
    before = names()
    # While a run is under way, the worker cannot begin anew itself.
    os.utime(Path(outside["GRADER_REPORTS"]) / "own.sql")
    canceled = launch(hosts, DAY)
    assert has_asked(answering, 2)
    assert "execute_run" in str(asked(one.family(), psutil.Process.cmdline))
    hosts.ask(STOP, {"run": canceled})
    assert eventually(lambda: statuses(hosts, canceled) == ["CANCELED"]), statuses(hosts, canceled)
    run = launch(hosts, DAY)
    assert has_asked(answering, 3)
    assert names() == before
    answering.go_on.set()
    assert has_ended(hosts, run, ["SUCCESS"]), said(runs(hosts, run)[0])
    assert eventually(lambda: bool(names() - before), 60), one.output()
    assert one.process.poll() is None


def test_the_metrics_have_the_workers_that_answer_and_their_slots(hosts: Stack) -> None:
    def metrics() -> list[str]:
        return httpx.get(f"{hosts.url}/metrics", timeout=30).text.splitlines()

    wanted = {
        "grader_live_workers 1.0",
        "grader_worker_slots 2.0",
        "grader_runs_without_worker 0.0",
    }
    assert eventually(lambda: wanted <= set(metrics()), 30), metrics()

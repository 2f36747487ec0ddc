"""Workers that come, go and die, runs that wait for one, and a worker with other files.

Redis, the workers, the daemon, the UI and PostgreSQL are real processes, and really killed.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest

from grader_pipeline.local.stack import COMMAND, Stack
from grader_pipeline.runs.celery_app import QUEUE
from grader_pipeline.runs.celery_child import WORKER_TAG
from grader_pipeline_tests.broker import PASSWORD, Broker
from grader_pipeline_tests.celery_workers import worker
from grader_pipeline_tests.grader import Grader
from grader_pipeline_tests.runs.celery_hosts import (
    DAY,
    STOP,
    has_asked,
    has_ended,
    instance_of,
    runs,
    said,
    statuses,
    tag,
)
from grader_pipeline_tests.stacks import launch
from grader_pipeline_tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)


def force_in_the_ui(hosts: Stack, run: str) -> None:
    """Dagster's UI offers nothing else for a run that is starting."""
    hosts.ask(
        STOP.replace("$run)", "$run, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY)"), {"run": run}
    )


def by_the_launcher(hosts: Stack, run: str) -> None:
    with instance_of(hosts) as instance:
        assert instance.run_launcher.terminate(run)


def test_a_run_is_executed_by_a_worker_and_the_broker_gets_no_secret(
    hosts: Stack, answering: Grader, redis: Broker, workers: ExitStack
) -> None:
    run = launch(hosts, DAY)
    assert eventually(lambda: redis.ask.llen(QUEUE) == 1, 60)
    (message,) = redis.ask.lrange(QUEUE, 0, -1)
    assert run.encode() in message
    assert PASSWORD.encode() not in message
    assert b"postgresql" not in message
    one = workers.enter_context(worker(hosts.services._environment))
    answering.go_on.set()
    assert has_ended(hosts, run, ["SUCCESS"]), said(runs(hosts, run)[-1])
    assert tag(runs(hosts, run)[0], WORKER_TAG) == one.name
    assert PASSWORD not in one.output()


@pytest.mark.parametrize("cancel", [force_in_the_ui, by_the_launcher])
def test_a_run_that_is_canceled_before_it_starts_is_canceled_at_once_and_never_executed(
    hosts: Stack,
    answering: Grader,
    redis: Broker,
    workers: ExitStack,
    cancel: Callable[[Stack, str], None],
) -> None:
    run = launch(hosts, DAY)
    assert eventually(lambda: redis.ask.llen(QUEUE) == 1, 60)
    cancel(hosts, run)
    assert statuses(hosts, run) == ["CANCELED"]
    workers.enter_context(worker(hosts.services._environment))
    assert eventually(lambda: redis.ask.llen(QUEUE) == 0)
    answering.go_on.set()
    assert has_ended(hosts, launch(hosts, DAY), ["SUCCESS"])
    assert statuses(hosts, run) == ["CANCELED"]
    assert len(answering.requests) == 1


def test_the_queue_survives_a_restart_of_the_broker(
    hosts: Stack, answering: Grader, redis: Broker, workers: ExitStack
) -> None:
    run = launch(hosts, DAY)
    assert eventually(lambda: redis.ask.llen(QUEUE) == 1, 60)
    time.sleep(1.1)  # the file is written every second
    redis.kill()
    redis.start()
    answering.go_on.set()
    workers.enter_context(worker(hosts.services._environment))
    assert has_ended(hosts, run, ["SUCCESS"]), statuses(hosts, run)


def test_a_run_that_is_launched_while_the_broker_is_away_waits_for_it_and_is_not_retried(
    hosts: Stack, answering: Grader, redis: Broker, workers: ExitStack
) -> None:
    redis.kill()
    run = launch(hosts, DAY)
    waits = "The run waits for it"
    assert eventually(lambda: waits in said(runs(hosts, run)[0]), 60), said(runs(hosts, run)[0])
    time.sleep(10)  # with a look of the monitoring
    assert statuses(hosts, run) == ["STARTING"]
    redis.start()
    answering.go_on.set()
    workers.enter_context(worker(hosts.services._environment))
    assert has_ended(hosts, run, ["SUCCESS"]), statuses(hosts, run)


def test_the_runs_of_a_dead_worker_fail_within_a_minute_and_its_successor_has_one_retry(
    hosts: Stack, answering: Grader, workers: ExitStack
) -> None:
    with worker(hosts.services._environment) as dead:
        run = launch(hosts, DAY)
        assert has_asked(answering)
        dead.kill()
        killed = time.monotonic()
        again = workers.enter_context(worker(hosts.services._environment, home=dead.home))
        assert hosts.services.wait_until(lambda: statuses(hosts, run)[0] == "FAILURE", 100)
        assert time.monotonic() - killed < 60
        answering.go_on.set()
        assert has_ended(hosts, run, ["FAILURE", "SUCCESS"]), statuses(hosts, run)
    assert tag(runs(hosts, run)[1], WORKER_TAG) == again.name != dead.name


def test_a_worker_with_other_reports_refuses_a_run_and_names_its_host(
    hosts: Stack, answering: Grader, tmp_path: Path, workers: ExitStack
) -> None:
    (tmp_path / "other.sql").write_text("SELECT 1")
    workers.enter_context(worker(hosts.services._environment, GRADER_REPORTS=str(tmp_path)))
    run = launch(hosts, DAY)
    assert has_ended(hosts, run, ["FAILURE"])
    assert f"The worker on host {socket.gethostname()} refuses the run" in said(runs(hosts, run)[0])
    time.sleep(5)  # a retry begins within a second or two
    assert statuses(hosts, run) == ["FAILURE"]


def test_a_worker_ends_within_15_s_of_sigterm_and_its_run_has_one_retry_elsewhere(
    hosts: Stack, answering: Grader, workers: ExitStack
) -> None:
    ending = workers.enter_context(worker(hosts.services._environment))
    run = launch(hosts, DAY)
    assert has_asked(answering)
    workers.enter_context(worker(hosts.services._environment))
    for process in [psutil.Process(ending.process.pid), *ending.family()]:
        process.terminate()
    assert ending.process.wait(15) == 0
    assert statuses(hosts, run)[0] == "FAILURE"
    answering.go_on.set()
    assert has_ended(hosts, run, ["FAILURE", "SUCCESS"]), statuses(hosts, run)


def test_a_worker_that_is_ended_waits_for_a_run_that_ends_soon(
    hosts: Stack, answering: Grader, workers: ExitStack
) -> None:
    ending = workers.enter_context(worker(hosts.services._environment))
    run = launch(hosts, DAY)
    assert has_asked(answering)
    ending.process.terminate()
    answering.go_on.set()
    assert ending.process.wait(15) == 0
    assert statuses(hosts, run) == ["SUCCESS"]


def test_the_process_that_is_forked_has_no_thread_and_no_connection_of_the_pipeline(
    outside: dict[str, str], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**outside, "DATABASE_URL": database_url}.items():
        monkeypatch.setenv(name, value)
    subprocess.run([sys.executable, *COMMAND, "migrate"], check=True)
    with worker(os.environ) as one, psycopg.connect(database_url) as db:
        others = db.execute(
            "SELECT query FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
        tasks = Path(f"/proc/{one.process.pid}/task").glob("*/comm")
        threads = [task.read_text().strip() for task in tasks]
    assert others == []
    # Arrow's allocator has a thread, and takes care of it in a fork itself.
    assert [name for name in threads if name != "jemalloc_bg_thd"] == ["python"]


def test_health_of_a_worker_is_the_answer_of_the_one_on_this_host(
    hosts: Stack, answering: Grader, redis: Broker, tmp_path: Path
) -> None:
    def health(**settings: str) -> tuple[int, str]:
        ended = subprocess.run(
            [sys.executable, *COMMAND, "health", "worker"],
            env={**hosts.services._environment, "GRADER_HOME": str(tmp_path), **settings},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr

    code, text = health()
    assert code == 1
    assert f"no worker on {socket.gethostname()} answers" in text
    with worker(hosts.services._environment):
        assert health()[0] == 0
    code, text = health(GRADER_BROKER_URL=f"redis://:{PASSWORD}@127.0.0.1:1/0")
    assert code == 1
    assert "the broker of GRADER_BROKER_URL does not answer" in text
    assert PASSWORD not in text

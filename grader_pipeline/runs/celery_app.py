"""What the launcher and the workers of several hosts have in common: Celery's app, and its queue.

A task is one run, and has the run's id. The broker gets nothing else: each host has its own
DAGSTER_HOME, database URL and code.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from grader_pipeline.settings import Settings
from grader_pipeline.workers import Workers

try:
    from celery import Celery
    from kombu.connection import Connection
except ModuleNotFoundError as error:  # pragma: no cover
    raise ModuleNotFoundError(
        "GRADER_BROKER_URL is set, and Celery is not installed. Install it with "
        "pip install 'grader-pipeline[celery]', or unset GRADER_BROKER_URL."
    ) from error

QUEUE = "grader-runs"
EXECUTE = "grader_pipeline.execute_run"
"""The task that executes a run. Its one argument is the run's id."""

RUNS = "grader_runs"
"""What each worker is asked: the ids of the runs that it has."""

ANSWER_SECONDS = 2
"""Workers that answer later count as silent this time."""

VISIBILITY_SECONDS = 6 * 60 * 60
"""After so long Redis gives a run to another worker, which finds that it is not to be started.

It is longer than any run (``max_runtime_seconds``): a shorter one would hand out runs that go on.
"""


def celery_app() -> "Celery":
    """Celery's app. It connects when it is used.

    Raises ValueError if GRADER_BROKER_URL is not set.
    """
    broker = Settings().grader_broker_url
    if broker is None:
        raise ValueError("GRADER_BROKER_URL is not set: there is no broker to ask.")
    app = Celery("grader_pipeline", broker=broker.get_secret_value(), set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        # A worker keeps no run for later, so an idle worker takes it. It holds as many as it has
        # slots: the broker counts a run as the worker's until it has ended.
        worker_prefetch_multiplier=1,
        task_acks_late=True,
        # A run whose process died is failed, and Dagster decides on a retry. Were it put back, it
        # would start while Dagster counts it as started.
        task_reject_on_worker_lost=False,
        task_acks_on_failure_or_timeout=True,
        task_ignore_result=True,
        # A process executes one run: it may leave anything behind.
        worker_max_tasks_per_child=1,
        # How long Celery waits for the result of a process that is gone.
        worker_lost_wait=1,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS,
            "socket_keepalive": True,
            "socket_connect_timeout": 5,
        },
    )
    return cast("Celery", app)


def queued_runs(app: "Celery") -> set[str]:
    """The runs that wait in the queue.

    Raises ``kombu.exceptions.OperationalError`` if the broker does not answer.
    """
    with _connected(app) as connection:
        messages = _redis(connection).lrange(QUEUE, 0, -1)
    return {json.loads(message)["headers"]["id"] for message in messages}


def runs_of_workers(app: "Celery") -> set[str]:
    """The runs that the workers have which answer. It lasts ANSWER_SECONDS.

    Raises ``kombu.exceptions.OperationalError`` if the broker does not answer.
    """
    with _connected(app) as connection:
        answers: list[dict[str, Any]] | None = app.control.broadcast(
            RUNS, reply=True, timeout=ANSWER_SECONDS, connection=connection
        )
    return {run for answer in answers or () for runs in answer.values() for run in runs}


def workers_now(app: "Celery") -> Workers:
    """The workers that answer, their slots, and how many runs wait. It lasts ANSWER_SECONDS.

    Raises ``kombu.exceptions.OperationalError`` if the broker does not answer.
    """
    with _connected(app) as connection:
        answers: list[dict[str, Any]] | None = app.control.broadcast(
            "stats", reply=True, timeout=ANSWER_SECONDS, connection=connection
        )
    found = [stats for answer in answers or () for stats in answer.values()]
    slots = sum(stats["pool"]["max-concurrency"] for stats in found)
    return Workers(live=len(found), slots=slots, waiting=len(queued_runs(app)))


def has_worker(app: "Celery", host: str) -> bool:
    """Whether a worker on this host answers. It lasts 0.05 s if one does, else ANSWER_SECONDS.

    Raises ``kombu.exceptions.OperationalError`` if the broker does not answer.
    """
    with _connected(app) as connection:
        answers = app.control.broadcast(
            "ping", pattern=f"*@{host}", matcher="glob", reply=True, limit=1,
            timeout=ANSWER_SECONDS, connection=connection,
        )  # fmt: skip
    return bool(answers)


def probe() -> str:
    """How the broker and the workers are, in words.

    Raises UserWarning if Redis may lose the queue, ``kombu.exceptions.OperationalError`` if it does
    not answer.
    """
    app = celery_app()
    with _connected(app) as connection:
        found = _redis(connection).info()
        workers = len(app.control.ping(timeout=ANSWER_SECONDS, connection=connection))
    said = f"Redis {found['redis_version']} answers, and {workers} workers do"
    if not found["aof_enabled"]:
        raise UserWarning(f"{said}. A restart of Redis loses the queue: set appendonly to yes")
    if found["maxmemory_policy"] != "noeviction":
        raise UserWarning(f"{said}. Redis may remove runs: set maxmemory-policy to noeviction")
    return said


def interrupt_run(app: "Celery", run_id: str) -> None:
    """Interrupt a run that a worker has. A worker that gets it later does not start it.

    Raises ``kombu.exceptions.OperationalError`` if the broker does not answer.
    """
    with _connected(app) as connection:
        app.control.revoke(run_id, terminate=True, signal="SIGINT", connection=connection)


@contextmanager
def _connected(app: "Celery") -> "Iterator[Connection]":
    """A new connection: one that Celery keeps fails once after the broker was away."""
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS)
        yield connection


def _redis(connection: "Connection") -> Any:  # noqa: ANN401 (redis has no types that are checked)
    return cast("Any", connection.default_channel).client

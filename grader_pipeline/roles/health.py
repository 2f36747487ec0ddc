"""Whether the roles serve what they are for. A probe starts no process and imports no Dagster.

Probes give None, or why not, in one line.
"""

import json
import socket
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import grpc
import psycopg
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from psycopg.conninfo import make_conninfo

from grader_pipeline.resources.database_url import url_parts, with_keepalive
from grader_pipeline.roles import places
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

TIMEOUT = 5
"""Seconds."""

BEAT_SECONDS = 120
"""A daemon gives a sign of life every 30 s. It may be busy for a while, such as with a mail."""

DAEMONS = {
    "ASSET", "BACKFILL", "EVENT_LOG_CONSUMER", "FRESHNESS_DAEMON", "MONITORING",
    "QUEUED_RUN_COORDINATOR", "SCHEDULER", "SENSOR",
}  # fmt: skip
"""The daemons that dagster.yaml asks for, by Dagster's names."""


def code_server_trouble(place: tuple[str, int] | Path) -> str | None:
    """Why the code server gives no answer to gRPC's health check.

    It answers with code that cannot be imported, too: the UI then shows why.
    """
    address = _target(place)
    with grpc.insecure_channel(address) as channel:
        try:
            answer = HealthStub(channel).Check(HealthCheckRequest(service="DagsterApi"), TIMEOUT)
        except grpc.RpcError as error:
            return f"no answer at {address} ({error.code().name})"
    return None if answer.status == HealthCheckResponse.SERVING else f"{address} is not serving"


def code_trouble(place: tuple[str, int] | Path) -> str | None:
    """Why the code server has no code: it does not answer, or the code cannot be loaded."""
    if trouble := code_server_trouble(place):
        return trouble
    with grpc.insecure_channel(_target(place)) as channel:
        # Dagster's own client would import Dagster. The answer has one field, a JSON text.
        ask = channel.unary_unary("/api.DagsterApi/ListRepositories")
        try:
            answer: bytes = ask(b"", timeout=TIMEOUT)
        except grpc.RpcError as error:
            return f"no answer at {_target(place)} ({error.code().name})"
    said = json.loads(answer[answer.index(b"{") :])
    if said["__class__"] != "SerializableErrorInfo":
        return None
    while said["cause"]:
        said = said["cause"]
    return f"the code cannot be loaded: {said['message'].strip()}"


def _target(place: tuple[str, int] | Path) -> str:
    return f"unix:{place}" if isinstance(place, Path) else f"{place[0]}:{place[1]}"


def ui_trouble(host: str, port: int) -> str | None:
    """Why the UI gives no answer."""
    connection = HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        # The UI knows this name, whatever address it listens on.
        connection.request("GET", "/server_info", headers={"Host": "localhost"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"no answer at {host}:{port} ({error})"
    finally:
        connection.close()
    return None if status == 200 else f"{host}:{port} answers {status}"  # noqa: PLR2004


def daemon_trouble(database_url: str) -> str | None:
    """Which of the daemon's parts has given no sign of life for BEAT_SECONDS."""
    try:
        parts = with_keepalive(url_parts(database_url)) | {"connect_timeout": str(TIMEOUT)}
    except psycopg.ProgrammingError:  # its text quotes the URL, with its password
        return "DATABASE_URL cannot be read: see `grader-pipeline doctor`"
    try:
        with psycopg.connect(make_conninfo(**parts), autocommit=True) as db:
            ages: dict[str, float] = dict(db.execute(statement("status/heartbeats")).fetchall())
    except psycopg.errors.UndefinedTable:
        return "the database is not prepared: run `grader-pipeline migrate`"
    except psycopg.Error as error:
        # The first line is the cause. The others are guesses of libpq.
        cause = str(error).partition("\n")[0]
        return f"its heartbeats cannot be read, the database cannot be used: {cause}"
    return silence(ages)


def silence(ages: Mapping[str, float]) -> str | None:
    """Which of the daemon's parts are silent. ``ages``: seconds since their last sign of life."""
    silent = [name for name in sorted(DAEMONS) if ages.get(name, BEAT_SECONDS) >= BEAT_SECONDS]
    return f"no sign of life for {BEAT_SECONDS} s of {', '.join(silent)}" if silent else None


def run_server_trouble(path: Path) -> str | None:
    """Why the run server gives no answer."""
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(TIMEOUT)
        try:
            server.connect(str(path))
            server.sendall(b'{"do": "look", "run": ""}\n')
            json.loads(server.makefile().readline())
        except (OSError, ValueError) as error:
            return f"no answer at {path} ({error})"
    return None


def celery_worker_trouble() -> str | None:
    """Why no worker of Celery on this host gives an answer."""
    from kombu.exceptions import OperationalError  # noqa: PLC0415 (needed with a broker only)

    from grader_pipeline.runs.celery_app import celery_app, has_worker  # noqa: PLC0415

    host = socket.gethostname()
    try:
        return None if has_worker(celery_app(), host) else f"no worker on {host} answers"
    except OperationalError as error:
        return f"the broker of GRADER_BROKER_URL does not answer ({error})"


def worker_trouble(settings: Settings) -> str | None:
    """Why the worker of this host gives no answer."""
    if settings.grader_broker_url is not None:
        return celery_worker_trouble()
    return run_server_trouble(places.run_socket(settings))


ROLES: dict[str, Callable[[Settings, int], str | None]] = {
    "code-server": lambda settings, _: code_server_trouble(places.code_server(settings)),
    "ui": lambda _, port: ui_trouble("127.0.0.1", port),
    "daemon": lambda settings, _: daemon_trouble(places.required_url(settings)),
    "worker": lambda settings, _: worker_trouble(settings),
}
"""The probe of each role; it gets the settings, and the UI's port."""

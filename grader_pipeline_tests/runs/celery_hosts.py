"""Several hosts, as processes of this one: Redis, a daemon, and workers that a test starts.

``runs/conftest.py`` imports the fixtures.
"""

import re
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import psycopg
import pytest

from grader_pipeline.local.stack import Stack
from grader_pipeline_tests import grader
from grader_pipeline_tests.broker import Broker, broker
from grader_pipeline_tests.grader import Grader, attempt, rows
from grader_pipeline_tests.mail.mail_server import MailServer
from grader_pipeline_tests.sheet.google_account import google_with_a_book, new_key_pair
from grader_pipeline_tests.stacks import api, own_report, whole_stack
from grader_pipeline_tests.waiting import eventually

DAY = "2023-05-31"

STOP = "mutation ($run: String!) { terminateRun(runId: $run) { __typename } }"

LOOK = """{ runsOrError { ... on Runs { results {
    runId rootRunId status tags { key value }
    eventConnection { events { ... on MessageEvent { message } } } } } } }"""


@pytest.fixture(scope="module")
def redis() -> Iterator[Broker]:
    with broker() as server:
        yield server


@pytest.fixture(scope="module")
def api_server() -> Iterator[Grader]:
    with grader.running() as server:
        yield server


@pytest.fixture(scope="module")
def outside(redis: Broker, postgres_18: str) -> Iterator[dict[str, str]]:
    """The settings of what several hosts share: broker, database, files, Google and SMTP."""
    name = f"hosts_{uuid.uuid4().hex}"
    mails = MailServer().start()
    with (
        tempfile.TemporaryDirectory() as files,
        tempfile.TemporaryDirectory() as reports,
        google_with_a_book(new_key_pair()) as (_, sheet),
        psycopg.connect(postgres_18, autocommit=True) as admin,
    ):
        admin.execute(f"CREATE DATABASE {name}")
        own_report(Path(reports))
        yield {
            "GRADER_REPORTS": reports,
            "GRADER_BROKER_URL": redis.url,
            "DATABASE_URL": postgres_18.replace("/postgres?", f"/{name}?"),
            "GRADER_STORAGE": f"file://{files}",
            "SMTP_HOST": mails.host,
            "SMTP_PORT": str(mails.port),
            "SMTP_SECURITY": "none",
            "SMTP_FROM": "grader@school.example",
            **sheet,
        }
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    mails.stop()


@pytest.fixture(scope="module")
def hosts(api_server: Grader, outside: dict[str, str]) -> Iterator[Stack]:
    """Code server, UI and daemon, and no worker."""
    with whole_stack(has_worker=False, **outside, **api(api_server.url, "school")) as up:
        yield up


@pytest.fixture
def answering(
    api_server: Grader, outside: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Grader]:
    """A grader whose answers wait until ``go_on`` is set. The test may ask Celery too."""
    for name, value in outside.items():
        monkeypatch.setenv(name, value)
    api_server.requests.clear()
    api_server.hold(rows([attempt()]), seconds=100)
    yield api_server
    api_server.go_on.set()


@pytest.fixture
def workers(hosts: Stack) -> Iterator[ExitStack]:
    """Ends the workers that are entered."""
    with ExitStack() as started:
        yield started


def runs(stack: Stack, run: str) -> list[dict[str, Any]]:
    """A run and its retries, oldest first."""
    found: list[dict[str, Any]] = stack.ask(LOOK)["runsOrError"]["results"]
    return [each for each in reversed(found) if run in (each["runId"], each["rootRunId"])]


def statuses(stack: Stack, run: str) -> list[str]:
    return [each["status"] for each in runs(stack, run)]


def said(run: dict[str, Any]) -> str:
    return "\n".join(event.get("message", "") for event in run["eventConnection"]["events"])


def tag(run: dict[str, Any], key: str) -> str:
    return next((str(each["value"]) for each in run["tags"] if each["key"] == key), "")


def has_ended(stack: Stack, run: str, expected: list[str], seconds: float = 90) -> bool:
    return stack.services.wait_until(lambda: statuses(stack, run) == expected, seconds)


def has_asked(answering: Grader, times: int = 1) -> bool:
    return eventually(lambda: len(answering.requests) >= times, 60)


def process_of(stack: Stack, run: str) -> psutil.Process:
    """The process that executes a run."""
    assert eventually(lambda: "(pid: " in said(runs(stack, run)[0]))
    found = re.search(r"Started process for run \(pid: (\d+)\)", said(runs(stack, run)[0]))
    assert found
    return psutil.Process(int(found[1]))


@contextmanager
def instance_of(stack: Stack) -> Iterator[dg.DagsterInstance]:
    with pytest.MonkeyPatch.context() as env:
        for name in ("DAGSTER_HOME", "DAGSTER_POSTGRES_URL"):
            env.setenv(name, stack.services._environment[name])
        with dg.DagsterInstance.get() as instance:
            yield instance

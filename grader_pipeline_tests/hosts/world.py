"""A school with five hosts: stores, control, and three workers. What it does not own is outside.

`stores` has PostgreSQL, Redis, an S3 store and SMTP. `control` has the code server, the UI and the
daemon. The grader's API and Google answer from outside the hosts.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
from psycopg.rows import dict_row

from grader_pipeline.local.services import free_port
from grader_pipeline.settings import variables
from grader_pipeline_tests import s3_server
from grader_pipeline_tests.broker import broker
from grader_pipeline_tests.conftest import debian_server
from grader_pipeline_tests.hosts.network import NETWORK, OUTSIDE, Host, network
from grader_pipeline_tests.mail.mail_server import MailServer
from grader_pipeline_tests.sheet.google_account import google_with_a_book, new_key_pair
from grader_pipeline_tests.waiting import eventually

WORKERS = ("worker-a", "worker-b", "worker-c")
SLOTS = 2
CODE_PORT, UI_PORT = 4000, 3000


class Rest(NamedTuple):
    """How many times sensors were evaluated so far, and how many sessions the database has."""

    ticks: int
    sessions: int


@dataclass
class School:
    """The hosts, and what the tests ask of them."""

    control: Host
    workers: dict[str, Host]
    environment: dict[str, str]
    """The settings that all roles have."""
    homes: Path
    mails: MailServer
    database_url: str
    attempts: int
    """Attempts that the API has for a usual day."""
    at_rest: Rest | None = None
    """What there was before the first run."""

    def start(self, role: str, on: Host, *options: str, **settings: str) -> None:
        """Start a role on a host, with a GRADER_HOME of its own there."""
        home = self.homes / on.name
        home.mkdir(exist_ok=True)
        own = {"GRADER_HOME": str(home), **settings}
        command = [sys.executable, "-m", "grader_pipeline.cli", role, *options]
        on.start(command, {**self.environment, **own}, self.output(role, on))

    def run(self, *arguments: str, on: Host, **settings: str) -> str:
        """Run a command of the product on a host until it ends. Gives its output."""
        home = self.homes / on.name
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            on.command(sys.executable, "-m", "grader_pipeline.cli", *arguments),
            env={**os.environ, **self.environment, "GRADER_HOME": str(home), **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start_worker(self, name: str) -> None:
        """Start the worker of a host, and wait until it takes runs."""
        host = self.workers[name]
        self.start("worker", host, "--slots", str(SLOTS))
        assert eventually(lambda: self.is_healthy("worker", host), 60), self.words("worker", host)

    def is_healthy(self, role: str, on: Host) -> bool:
        """Whether `health ROLE` on the host says so."""
        home = {"GRADER_HOME": str(self.homes / on.name)}
        command = on.command(sys.executable, "-m", "grader_pipeline.cli", "health", role)
        environment = {**os.environ, **self.environment, **home}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        return done.returncode == 0

    def output(self, role: str, on: Host) -> Path:
        """The file with what a role printed."""
        return self.homes / f"{on.name}-{role}.txt"

    def words(self, role: str, on: Host) -> str:
        """The last of what a role printed."""
        return self.output(role, on).read_text(errors="replace")[-4000:]

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Send a query to Dagster's GraphQL, as its UI does."""
        answer = httpx.post(
            f"http://{self.control.address}:{UI_PORT}/graphql",
            json={"query": query, "variables": variables or {}},
            headers={"Host": "localhost"},
            timeout=60,
        )
        content = answer.raise_for_status().json()
        assert "errors" not in content, content
        return content["data"]

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the database answers."""
        with psycopg.connect(self.database_url, row_factory=dict_row) as db:
            return db.execute(query).fetchall()  # type: ignore[arg-type]


@contextmanager
def school(latency: float, attempts: int) -> Iterator[School]:
    """All of it but the workers. An answer of the grader's API takes ``latency`` seconds."""
    with ExitStack() as stack:
        stores, control, *workers = stack.enter_context(network("stores", "control", *WORKERS))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="grader-hosts-")))
        folder.chmod(0o755)
        stack.enter_context(debian_server(stores.address, f"{NETWORK}.0/24", on=stores.command()))
        database_url = f"postgresql://postgres@{stores.address}/school"
        with psycopg.connect(database_url.replace("/school", "/postgres"), autocommit=True) as db:
            db.execute("CREATE DATABASE school")
        mails = MailServer(host=stores.address)
        stores.serve(mails.start)
        stack.callback(mails.stop)
        redis = stack.enter_context(broker(stores.address, stores.command()))
        store = stack.enter_context(s3_server.running(stores.address, stores.command()))
        _, sheet = stack.enter_context(google_with_a_book(new_key_pair(), OUTSIDE))
        asked = stack.enter_context(api(latency, attempts, folder))
        environment = {
            **dict.fromkeys(variables(), ""),
            "DATABASE_URL": database_url,
            "GRADER_BROKER_URL": redis.url,
            **s3_server.settings(store, folder),
            "GRADER_CODE_SERVER": f"{control.address}:{CODE_PORT}",
            "GRADER_UI_HOSTS": "ui.school.test",
            "GRADER_LOG": "json",
            **asked,
            **sheet,
            "SMTP_HOST": stores.address,
            "SMTP_PORT": str(mails.port),
            "SMTP_SECURITY": "none",
            "SMTP_FROM": "grader@school.test",
            "MAIL_TO": "staff@school.test",
            "MAIL_ON_FAILURE_TO": "owner@school.test",
        }
        hosts = {host.name: host for host in workers}
        up = School(control, hosts, environment, folder, mails, database_url, attempts)
        up.run("migrate", on=control)
        start_control(up)
        yield up


def start_control(up: School) -> None:
    """Start the code server, the UI and the daemon, and wait until each is healthy."""
    for role, port in {"code-server": CODE_PORT, "ui": UI_PORT, "daemon": None}.items():
        listen = ["--host", "0.0.0.0", "--port", str(port)] if port else []
        up.start(role, up.control, *listen)
    for role in ("code-server", "ui", "daemon"):
        is_up = partial(up.is_healthy, role, up.control)
        assert eventually(is_up, 90), up.words(role, up.control)


@contextmanager
def api(latency: float, attempts: int, folder: Path) -> Iterator[dict[str, str]]:
    """The grader's API, outside the hosts, and its settings."""
    port = free_port()
    options = [f"--host={OUTSIDE}", f"--port={port}", f"--latency={latency}", f"--rows={attempts}"]
    who = ["--client=school", "--client-key=hosts-api-secret"]
    command = [sys.executable, "-m", "grader_pipeline.sample_api", *options, *who]
    with (folder / "api.txt").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        assert eventually(lambda: _listens(OUTSIDE, port))
        yield {
            "GRADER_API_URL": f"http://{OUTSIDE}:{port}/",
            "GRADER_API_CLIENT": "school",
            "GRADER_API_CLIENT_KEY": "hosts-api-secret",
            "GRADER_API_CONCURRENCY": str(SLOTS * len(WORKERS)),
            # Days are not loaded in their order, so what is few for one depends on chance.
            "GRADER_MIN_VOLUME_SHARE": "0",
        }
    finally:
        process.kill()
        process.wait()


def _listens(host: str, port: int) -> bool:
    try:
        httpx.get(f"http://{host}:{port}/", timeout=1)
    except httpx.ConnectError:
        return False
    except httpx.HTTPError:
        return True
    return True

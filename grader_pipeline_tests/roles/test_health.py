"""A probe tells a service that answers from one that hangs or is gone, within its timeout."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import cast

import psycopg
import pytest

from grader_pipeline.cli import command
from grader_pipeline.local.services import Services, free_port
from grader_pipeline.local.stack import Stack
from grader_pipeline.roles import health
from grader_pipeline.roles.migrate import opened, require_schema
from grader_pipeline.settings import Settings
from grader_pipeline.ui.guard import Guard


class Guarded(BaseHTTPRequestHandler):
    """A UI on an address that is no name of it, as with --host 0.0.0.0."""

    def do_GET(self) -> None:
        known = Guard(cast("object", None), ())._is_known(self.headers["Host"])  # type: ignore[arg-type]
        body = b'{"data": {}}'
        self.send_response(200 if known else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ui_port() -> Iterator[int]:
    with HTTPServer(("0.0.0.0", 0), Guarded) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def test_the_launcher_reaches_the_ui_by_a_name_it_knows_whatever_address_it_listens_on(
    ui_port: int, tmp_path: Path
) -> None:
    assert health.ui_trouble("0.0.0.0", ui_port) is None
    services = Services({}, tmp_path)
    stack = Stack(services, f"http://0.0.0.0:{ui_port}", "")
    assert stack.ask("{ version }") == {}


def test_a_service_that_is_gone_or_takes_requests_and_answers_none_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "TIMEOUT", 0.5)
    path = tmp_path / "code.sock"
    assert health.code_server_trouble(path)
    assert health.ui_trouble("127.0.0.1", free_port())
    with socket.socket(socket.AF_UNIX) as deaf, socket.create_server(("127.0.0.1", 0)) as mute:
        deaf.bind(str(path))
        deaf.listen()
        assert health.code_server_trouble(path)
        assert health.ui_trouble("127.0.0.1", mute.getsockname()[1])


def beat(url: str, age: str, *silent: str) -> None:
    """Let each of the daemon's parts have given a sign of life, some of them long ago."""
    with psycopg.connect(url, autocommit=True) as db:
        for name in health.DAEMONS:
            db.execute(
                "INSERT INTO dagster.daemon_heartbeats (daemon_type, daemon_id, timestamp)"
                " VALUES (%s, 'x', now() AT TIME ZONE 'UTC' - %s::interval)"
                " ON CONFLICT (daemon_type) DO UPDATE SET timestamp = EXCLUDED.timestamp",
                [name, "1 day" if name in silent else age],
            )


def test_the_daemon_is_healthy_while_each_of_its_parts_gives_signs_of_life(
    database_url: str,
) -> None:
    assert "grader-pipeline migrate" in str(health.daemon_trouble(database_url))
    require_schema(Settings(), database_url)
    assert "SCHEDULER" in str(health.daemon_trouble(database_url))
    beat(database_url, "100 s")
    assert health.daemon_trouble(database_url) is None
    beat(database_url, "0 s", "SENSOR")
    assert str(health.daemon_trouble(database_url)).endswith("of SENSOR")
    beat(database_url, "121 s")
    assert health.daemon_trouble(database_url)
    assert "cannot be used" in str(health.daemon_trouble("postgresql://me:s3cret@127.0.0.1:1/x"))


def test_the_parts_of_the_daemon_are_those_that_dagster_yaml_asks_for(database_url: str) -> None:
    require_schema(Settings(), database_url)
    with opened(Settings(), database_url) as dagsters:
        assert set(dagsters.get_required_daemon_types()) == health.DAEMONS


def test_a_run_server_that_is_gone_or_hangs_is_told_from_one_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "TIMEOUT", 0.5)
    path = tmp_path / "runs.sock"
    assert "No such file" in str(health.run_server_trouble(path))
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        deaf.listen()
        assert "timed out" in str(health.run_server_trouble(path))


def test_each_role_that_serves_has_a_probe() -> None:
    assert set(health.ROLES) == command._ROLES


@pytest.mark.parametrize("module", ["grader_pipeline.cli.health", "grader_pipeline.roles.health"])
def test_health_imports_no_dagster_so_that_a_probe_costs_little(module: str) -> None:
    asked = f"import sys, {module}; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0

"""A probe tells a service that answers from one that hangs or is gone, within its timeout."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import cast

import pytest

from grader_pipeline.local.services import Services, free_port
from grader_pipeline.local.stack import Stack
from grader_pipeline.roles import health
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

"""The web server of the UI as its own process, over a database with computed reports."""

import socket
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from grader_pipeline_tests.processes import COMMAND
from grader_pipeline_tests.reports.conftest import School, school
from grader_pipeline_tests.waiting import eventually

__all__ = ["school"]


@pytest.fixture
def ui(school: School, database_url: str) -> Iterator[httpx.Client]:
    """A client of the running web server. There is no code server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    process = subprocess.Popen([*COMMAND, "ui", "--port", str(port)])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            assert eventually(lambda: answers(client), 60)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/server_info").status_code == 200
    except httpx.HTTPError:
        return False

"""The web server of the UI as its own process, over a database with computed reports."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from grader_pipeline.local.dagster_home import environment, write_instance
from grader_pipeline.settings import Settings
from grader_pipeline_tests.reports.conftest import School, school
from grader_pipeline_tests.waiting import eventually

__all__ = ["school"]


@pytest.fixture
def ui(school: School, database_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of the running web server. It knows no code server."""
    settings = Settings()
    write_instance(settings, database_url)
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("load_from: []")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    module = ("-m", "grader_pipeline.ui", "--port", str(port), "--workspace", str(workspace))
    process = subprocess.Popen([sys.executable, *module], env=environment(settings, database_url))
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

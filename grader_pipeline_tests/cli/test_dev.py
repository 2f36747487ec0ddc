"""``dev`` serves the pipeline, shows no secret, and leaves no process behind."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from grader_pipeline.local.services import free_port
from grader_pipeline_tests.processes import COMMAND, asked, processes_of
from grader_pipeline_tests.waiting import eventually

Start = Callable[..., subprocess.Popen[str]]

LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    ... on RepositoryLocation { name } ... on PythonError { message } } } } } }"""
POOLS = "{ instance { concurrencyLimits { concurrencyKey slotCount } } }"


def ask(url: str, query: str) -> Any:
    return httpx.post(f"{url}/graphql", json={"query": query}, timeout=30).json()["data"]


def limits(url: str) -> dict[str, int]:
    pools = ask(url, POOLS)["instance"]["concurrencyLimits"]
    return {pool["concurrencyKey"]: pool["slotCount"] for pool in pools}


def ready(process: subprocess.Popen[str]) -> str:
    """What the command says until Dagster is there."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("Dagster is at http://"):
            return said
    raise AssertionError(said)


@pytest.mark.timeout(300)
def test_dev_without_an_api_serves_the_demo_and_leaves_nothing_behind_however_it_ends(
    home: Path, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "never-to-be-seen")
    monkeypatch.setenv("GRADER_API_CONCURRENCY", "3")
    world = home / "demo"
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    first = started(*COMMAND, "dev", "--port", str(port))
    said = ready(first)
    assert url in said
    assert f"GRADER_HOME: {world}, the demo's, because no real GRADER_API_URL is set\n" in said
    assert [path.name for path in home.iterdir()] == [world.name]
    (location,) = ask(url, LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert location["locationOrLoadError"] == {"name": "grader_pipeline"}
    assert eventually(lambda: limits(url) == {"grader_api": 3}), limits(url)
    running = processes_of(home)
    assert len(running) > 5
    assert "never-to-be-seen" not in str(asked(running, psutil.Process.cmdline))

    other = subprocess.run(
        [*COMMAND, "dev", "--port", str(port)], capture_output=True, text=True, check=False
    )
    assert other.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in other.stderr

    first.kill()
    assert eventually(lambda: not processes_of(home)), processes_of(home)

    second = started(*COMMAND, "dev", "--port", str(port))
    ready(second)
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 130
    assert not processes_of(home)
    assert "never-to-be-seen" not in (world / "logs" / "app_log.txt").read_text()
    for path in (world / "dagster" / "output").iterdir():
        assert "never-to-be-seen" not in path.read_text()

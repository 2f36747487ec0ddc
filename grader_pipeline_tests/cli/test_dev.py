"""``dev`` serves the pipeline, shows no secret, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from grader_pipeline.local.services import free_port
from grader_pipeline_tests.processes import COMMAND, asked, processes_of
from grader_pipeline_tests.waiting import eventually
from grader_pipeline_tests.wheel import CHECKOUT

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
    began = time.monotonic()
    second.send_signal(signal.SIGINT)
    assert second.wait(60) == 130
    assert time.monotonic() - began < 3
    assert not processes_of(home)
    assert "never-to-be-seen" not in (world / "logs" / "app_log.txt").read_text()
    for path in (world / "dagster" / "output").iterdir():
        assert "never-to-be-seen" not in path.read_text()


@pytest.mark.parametrize(("target", "code"), [("dev", 130), ("demo", 130), ("dev", 1)])
def test_make_ends_by_ctrl_c_without_an_error_line_and_names_every_other_failure(
    tmp_path: Path, target: str, code: int
) -> None:
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    command = programs / "grader-pipeline"
    command.write_text(
        "#!/bin/sh\n"
        f"trap 'sleep 0.3; echo ended; exit {code}' INT; echo started; while :; do sleep 0.1; done"
    )
    command.chmod(0o755)
    for name in ("requirements.txt", "pyproject.toml", ".venv/installed"):
        (tmp_path / name).touch()
    # Not one make inside another, whose output has more lines.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    make = subprocess.Popen(
        ["make", "-f", str(CHECKOUT / "Makefile"), target],
        cwd=tmp_path, text=True, process_group=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=alone,
    )  # fmt: skip
    assert make.stdout
    assert make.stdout.readline() == "started\n"
    # As the terminal does: to all processes in the foreground.
    os.killpg(make.pid, signal.SIGINT)
    said, errors = make.communicate(timeout=20)
    assert said == "ended\n"
    assert ("***" in errors) == (code != 130), errors
    assert make.returncode == -signal.SIGINT

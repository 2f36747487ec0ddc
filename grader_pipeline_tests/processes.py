"""What the launcher's tests share: a home, and how to run and wait for real processes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

COMMAND = [
    sys.executable,
    "-c",
    "import sys; from grader_pipeline.cli.command import main; sys.exit(main())",
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """GRADER_HOME of the test."""
    return tmp_path / "home"


@pytest.fixture
def started(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes whose output is read; kills those that the test leaves."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"GRADER_HOME": str(home)},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def processes_of(home: Path) -> list[psutil.Process]:
    """Everything that runs for a home: it names it in its arguments or its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(home) in text for text in told):
            found.append(process)
    return found

"""For tests that start real processes: a home, and how to start the processes and find them.

A room's ``conftest.py`` imports the fixtures.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

_T = TypeVar("_T")

COMMAND = [
    sys.executable,
    "-c",
    "import sys; from grader_pipeline.cli.command import main; sys.exit(main())",
]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The GRADER_HOME of the test, not under ``tmp_path``: its paths can be long."""
    with tempfile.TemporaryDirectory(prefix="grader-home-") as folder:
        home = Path(folder, "home")
        monkeypatch.setenv("GRADER_HOME", str(home))
        yield home


@pytest.fixture
def started(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes with a pipe for their output. Kills those that still run after the test."""
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


def asked(processes: Iterable[psutil.Process], ask: Callable[[psutil.Process], _T]) -> list[_T]:
    """What each process answers that is still there."""
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            found.append(ask(process))
    return found


def processes_of(home: Path) -> list[psutil.Process]:
    """The processes that name a home in their arguments or their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            texts = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(home) in text for text in texts):
            found.append(process)
    return found

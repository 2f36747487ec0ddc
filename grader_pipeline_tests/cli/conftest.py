"""The fixtures of this room: a home, and ways to run the command."""

import logging
import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from grader_pipeline.cli.command import main
from grader_pipeline_tests.processes import home, started
from grader_pipeline_tests.stacks import api

__all__ = ["home", "real_api", "run", "started"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def real_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a grader's API that nobody asks: the command does not use the demo."""
    for name, value in api("http://127.0.0.1:1/", "school").items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _undo_what_a_main_function_sets_up() -> Iterator[None]:
    """No test gets the signals or the log of a command that an earlier one has run."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    loggers = [logging.getLogger(f"grader_pipeline.{room}") for room in ("local", "roles")]
    before = [list(logger.handlers) for logger in loggers]
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    for logger, those in zip(loggers, before, strict=True):
        logger.handlers[:] = those
    logging.disable(logging.NOTSET)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command in this process until it ends."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = dict(os.environ)
        code = main(arguments)
        os.environ.clear()
        os.environ.update(environment)
        return subprocess.CompletedProcess(arguments, code, *capfd.readouterr())

    return run

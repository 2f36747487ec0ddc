"""Sample grader servers, each a process of its own, and how to ask one."""

import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest

ONE_DAY = dt.timedelta(days=1)
MICROSECOND = dt.timedelta(microseconds=1)


class SampleGrader:
    """A running sample grader, asked as the pipeline asks the real one."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str = "", **changed: str | None) -> httpx.Response:
        """Ask for ten minutes of a day, with some parameters changed or, as None, left out."""
        usual = {
            "client": "sample",
            "client_key": "sample",
            "start": "2023-05-31 09:00:00.000000",
            "end": "2023-05-31 09:09:59.999999",
        }
        given = {name: text for name, text in (usual | changed).items() if text is not None}
        return httpx.get(self.url + path, params=given, trust_env=False, timeout=60)

    def body(self, start: dt.datetime, length: dt.timedelta = ONE_DAY) -> str:
        """Fetch the half-open window as text; its last microsecond is the `end` asked for."""
        answer = self.get(
            start=start.isoformat(" ", "microseconds"),
            end=(start + length - MICROSECOND).isoformat(" ", "microseconds"),
        )
        assert answer.status_code == 200
        return answer.text

    def rows(self, start: dt.datetime, length: dt.timedelta = ONE_DAY) -> list:
        return httpx.Response(200, text=self.body(start, length)).json()


@pytest.fixture(scope="session")
def start_grader() -> Iterator[Callable[..., SampleGrader]]:
    """Start a sample grader with the given options; it ends with the session."""
    processes = []

    def start(*options: str) -> SampleGrader:
        process = subprocess.Popen(
            [sys.executable, "-m", "grader_pipeline.sample_api", *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        line = process.stdout.readline()
        assert "http://" in line, "the server did not say where it listens"
        return SampleGrader(line.split()[-1])

    yield start
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture(scope="session")
def grader(start_grader) -> SampleGrader:
    """Give the sample grader as it starts without any option."""
    return start_grader()

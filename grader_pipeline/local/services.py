"""The processes around the pipeline: started together, watched over, ended together."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from grader_pipeline.local import processes
from grader_pipeline.local.errors import LauncherError

log = logging.getLogger(__name__)

START_SECONDS = 120
STOP_SECONDS = 15
YOUNG_SECONDS = 30
"""A service that ends younger than this would only end again."""


@dataclass
class Service:
    """One process: what it is called in messages, what it runs, and since when."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float


class Services:
    """The running services. Leaving the block ends them, and everything that they started."""

    def __init__(self, environment: Mapping[str, str], outputs: Path) -> None:
        self._environment = environment
        self.outputs = outputs
        self._services: dict[str, Service] = {}

    def __enter__(self) -> Self:
        self.outputs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        leaders = {service.process.pid: service.name for service in self._services.values()}
        for killed in processes.end(leaders, patience=STOP_SECONDS):
            name = leaders[killed]
            log.warning(
                "%s did not end within %s s of being asked, so it was killed. What it said is in "
                "%s",
                *(name, STOP_SECONDS, self.output(name)),
            )
        for leader in leaders:
            processes.end_session(leader, patience=STOP_SECONDS)

    def start(self, name: str, *arguments: str) -> Service:
        """Start ``python`` with these arguments; what it says goes to a file of its own."""
        with self.output(name).open("wb") as output:
            process = processes.start(
                [sys.executable, *arguments], environment=self._environment, output=output
            )
        service = Service(name, arguments, process, time.monotonic())
        self._services[name] = service
        return service

    def output(self, name: str) -> Path:
        """The file that holds what a service has said since its last start."""
        return self.outputs / f"{name}.txt"

    def wait_until(self, is_ready: Callable[[], bool], *, what: str) -> None:
        """Wait for something that the services bring about.

        Raises LauncherError when one of them ends meanwhile, or when it takes too long.
        """
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise LauncherError(
                    f"{what} is not there after {START_SECONDS} s. What the processes say is in "
                    f"{self.outputs}."
                )
            time.sleep(0.1)

    def check(self) -> None:
        """Start again what has died.

        Raises LauncherError for a service that dies at once: it would only do so again.
        """
        for service in list(self._services.values()):
            code = service.process.poll()
            if code is None:
                continue
            processes.end_session(service.process.pid, patience=STOP_SECONDS)
            if time.monotonic() - service.started < YOUNG_SECONDS:
                raise self._failure(service)
            log.warning("%s ended (%s); starting it again", service.name, code)
            self.start(service.name, *service.arguments)

    def _failure(self, service: Service) -> LauncherError:
        said = self.output(service.name).read_text(errors="replace").splitlines()
        return LauncherError(
            f"{service.name} ended with {service.process.returncode}. Its last words, all of which "
            f"are in {self.output(service.name)}:\n" + "\n".join(said[-15:])
        )


def free_port() -> int:
    """A port of this machine that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def require_port(host: str, port: int) -> None:
    """Make sure that we can listen there.

    Raises LauncherError when somebody else does, or the address is not this machine's.
    """
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise LauncherError(
            f"Cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}). "
            "Stop what does, or choose another with --port."
        ) from None

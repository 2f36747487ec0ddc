"""The processes around the pipeline: starts them, restarts those that die, ends them all."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from grader_pipeline.local import processes
from grader_pipeline.local.errors import LauncherError

log = logging.getLogger(__name__)

STOP_SECONDS = 15
YOUNG_SECONDS = 30
"""A service that ends this soon after its start would end again, so it is not restarted."""


@dataclass
class Service:
    """One process: its name in messages, the arguments of Python, and when it started."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float


class Services:
    """The running services. The end of the block ends them and everything that they started."""

    def __init__(self, environment: Mapping[str, str], outputs: Path) -> None:
        self._environment = environment
        self.outputs = outputs
        self._services: dict[str, Service] = {}

    def __enter__(self) -> Self:
        self.outputs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        leaders = {service.process.pid: service.name for service in self._services.values()}
        for killed in processes.end(leaders, patience=STOP_SECONDS):
            name = leaders[killed]
            log.warning(
                "%s did not end within %s s after SIGTERM, so it was killed. Its output is in %s",
                *(name, STOP_SECONDS, self.output(name)),
            )
        for leader in leaders:
            processes.end_session(leader, patience=STOP_SECONDS)

    def start(self, name: str, *arguments: str) -> Service:
        """Start ``python`` with these arguments. Its output goes to its own file."""
        with self.output(name).open("wb") as output:
            process = processes.start(
                [sys.executable, *arguments], environment=self._environment, output=output
            )
        service = Service(name, arguments, process, time.monotonic())
        self._services[name] = service
        return service

    def output(self, name: str) -> Path:
        """The file with the output of a service since its last start."""
        return self.outputs / f"{name}.txt"

    def wait_until(self, is_ready: Callable[[], bool], seconds: float) -> bool:
        """Whether a condition comes to hold in time. Meanwhile this calls :meth:`check`."""
        deadline = time.monotonic() + seconds
        while not (ready := is_ready()) and time.monotonic() < deadline:
            self.check()
            time.sleep(0.2)
        return ready

    def check(self) -> None:
        """Restart the services that have ended.

        Raises LauncherError for one that ended within YOUNG_SECONDS: it would do so again.
        """
        for service in list(self._services.values()):
            code = service.process.poll()
            if code is None:
                continue
            processes.end_session(service.process.pid, patience=STOP_SECONDS)
            if time.monotonic() - service.started < YOUNG_SECONDS:
                output = self.output(service.name)
                raise LauncherError(
                    f"{service.name} ended with {code}. Its last lines, all of which are in "
                    f"{output}:\n{processes.tail(output)}"
                )
            log.warning("%s ended (%s); starting it again", service.name, code)
            self.start(service.name, *service.arguments)


def free_port() -> int:
    """A port of this machine that no process listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def require_port(host: str, port: int) -> None:
    """Check that the launcher can listen there.

    Raises LauncherError when another process does, or the address is not one of this machine.
    """
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise LauncherError(
            f"Cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}). "
            "Stop what does, or choose another with --port."
        ) from None

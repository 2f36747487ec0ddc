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

from grader_pipeline.roles import processes
from grader_pipeline.roles.errors import LauncherError

log = logging.getLogger(__name__)

STOP_SECONDS = 15
"""How long a service may take to end that is started again."""

END_SECONDS = 1.5
"""How long the services may take to end at the block's end: somebody waits at the terminal.

A run that is killed then is found, marked and retried by the next start.
"""

_MORE_SECONDS = 0.2
"""How much longer what a killed service had started may take: it was asked to end as well."""

YOUNG_SECONDS = 30
"""A service that ends this soon after its start may end again at once."""

PAUSES = (0, 1, 2, 4)
"""Seconds before a service is started again, the first time it ends young, the second, and so on.

After one more time it is given up.
"""

PROBE_SECONDS = 5
MOST_SILENT = 2
"""A service that gives no answer to so many probes in a row is killed, and started again."""

Probe = Callable[[], str | None]
"""Why a service gives no answer, or None."""


@dataclass
class Service:
    """One process: its name in messages, the arguments of Python, and when it started."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float
    probe: Probe | None = None
    ended_young: int = 0
    """How many times in a row it ended within YOUNG_SECONDS."""
    start_at: float | None = None
    """When it is to be started again, if it has ended."""
    probed: float = 0
    silent: int = 0
    """How many probes in a row had no answer."""


class Services:
    """The running services. The end of the block ends them and everything that they started."""

    def __init__(
        self,
        environment: Mapping[str, str],
        outputs: Path,
        require: Callable[[], object] = lambda: None,
    ) -> None:
        """``require`` raises LauncherError when the services may not go on."""
        self._environment = environment
        self.outputs = outputs
        self._require = require
        self._services: dict[str, Service] = {}

    def __enter__(self) -> Self:
        self.outputs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        leaders = {service.process.pid: service.name for service in self._services.values()}
        for killed in processes.end(leaders, patience=END_SECONDS):
            log.warning(
                "%s did not end within %s s and was killed. This does no harm: the next start runs "
                "again what was cut off.",
                *(leaders[killed], END_SECONDS),
            )
        for leader in leaders:
            processes.end_session(leader, patience=_MORE_SECONDS)

    def start(self, name: str, *arguments: str, probe: Probe | None = None) -> Service:
        """Start ``python`` with these arguments. Its output goes to its own file.

        ``probe`` is asked every PROBE_SECONDS, once the service is no longer young.
        """
        self.output(name).unlink(missing_ok=True)
        service = Service(name, arguments, self._started(name, arguments), time.monotonic(), probe)
        self._services[name] = service
        return service

    def _started(self, name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        # The last words of the process before this one stay.
        with self.output(name).open("ab") as output:
            return processes.start(
                [sys.executable, *arguments], environment=self._environment, output=output
            )

    def output(self, name: str) -> Path:
        """The file with the output of a service since the launcher started it."""
        return self.outputs / f"{name}.txt"

    def wait_until(self, is_ready: Callable[[], bool], seconds: float) -> bool:
        """Whether a condition comes to hold in time. Meanwhile this calls :meth:`check`."""
        deadline = time.monotonic() + seconds
        while not (ready := is_ready()) and time.monotonic() < deadline:
            self.check()
            time.sleep(0.2)
        return ready

    def check(self) -> None:
        """Restart the services that have ended, or that do not answer.

        Raises LauncherError for one that ends again and again, or when they may not go on.
        """
        self._require()
        for service in self._services.values():
            if service.start_at is not None:
                if time.monotonic() >= service.start_at:
                    self._start_again(service)
            elif (code := service.process.poll()) is not None:
                self._has_ended(service, code)
            elif service.probe is not None:
                _ask(service, service.probe)

    def restart(self, name: str) -> None:
        """End a service, and start it again."""
        service = self._services[name]
        if service.start_at is None:
            processes.end([service.process.pid], patience=STOP_SECONDS)
            processes.end_session(service.process.pid, patience=STOP_SECONDS)
            service.ended_young = 0
            self._start_again(service)

    def _has_ended(self, service: Service, code: int) -> None:
        processes.end_session(service.process.pid, patience=STOP_SECONDS)
        is_young = time.monotonic() - service.started < YOUNG_SECONDS
        service.ended_young = service.ended_young + 1 if is_young else 1
        if service.ended_young > len(PAUSES):
            output = self.output(service.name)
            raise LauncherError(
                f"{service.name} ended with {code}, {service.ended_young} times in a row. Its last "
                f"lines, all of which are in {output}:\n{processes.tail(output)}"
            )
        pause = PAUSES[service.ended_young - 1]
        log.warning("%s ended (%s); starting it again in %d s", service.name, code, pause)
        service.start_at = time.monotonic() + pause

    def _start_again(self, service: Service) -> None:
        service.process = self._started(service.name, service.arguments)
        service.started, service.start_at, service.silent = time.monotonic(), None, 0


def _ask(service: Service, probe: Probe) -> None:
    now = time.monotonic()
    if now - service.started < YOUNG_SECONDS or now - service.probed < PROBE_SECONDS:
        return
    service.silent = service.silent + 1 if probe() else 0
    service.probed = time.monotonic()
    if service.silent >= MOST_SILENT:
        log.warning("%s does not answer; killing it, and starting it again", service.name)
        service.process.kill()


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

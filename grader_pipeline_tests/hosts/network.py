"""Hosts on one machine: network namespaces, each with its own name, joined by a switch.

The tests themselves are in the network too, at OUTSIDE: they serve what a school does not own.
"""

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NETWORK = "10.213.8"
OUTSIDE = f"{NETWORK}.1"
_SWITCH = "grader-switch"
_CLONE_NEWNET = 0x40000000
# As a process of a host: its network, and its name.
_INSIDE = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"']


def ip(*arguments: str) -> str:
    """Run the command of iproute2. Gives its output."""
    done = subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def _enter(name: str) -> None:
    """Move this thread to the network of a host."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/run/netns", name).open() as place:
        if libc.setns(place.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the network of {name}")


@dataclass
class Host:
    """One host: its name, its address, and the processes that the tests started on it."""

    name: str
    address: str
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def _cable(self) -> str:
        return f"{self.name}-cable"

    def command(self, *arguments: str) -> list[str]:
        """A command as it runs on this host."""
        return ["ip", "netns", "exec", self.name, *_INSIDE, self.name, *arguments]

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], output: Path
    ) -> subprocess.Popen[bytes]:
        """Start a process on this host. Its output is added to a file."""
        with output.open("ab") as file:
            process = subprocess.Popen(
                self.command(*arguments),
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def serve(self, start: Callable[[], object]) -> None:
        """Start a server of the tests on this host. Its threads are in the host's network too."""
        failed: list[BaseException] = []

        def enter() -> None:
            try:
                _enter(self.name)
                start()
            except BaseException as error:  # for the thread that waits
                failed.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    def unplug(self) -> None:
        """Take the cable out. Nothing tells the others that the host is gone."""
        ip("link", "set", self._cable, "down")

    def plug(self) -> None:
        """Put the cable back."""
        ip("link", "set", self._cable, "up")

    def kill(self) -> None:
        """Kill every process of this host at once, as when it loses its power."""
        for pid in ip("netns", "pids", self.name).split():
            os.kill(int(pid), signal.SIGKILL)
        for process in self.started:
            process.wait()
        self.started.clear()


@contextmanager
def network(*names: str) -> Iterator[list[Host]]:
    """So many hosts. The end of the block kills what runs on them. Skips without root."""
    _remove_leftovers(names)
    with ExitStack() as stack:
        try:
            ip("link", "add", _SWITCH, "type", "bridge")
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("network namespaces need root and iproute2")
        stack.callback(ip, "link", "del", _SWITCH)
        ip("addr", "add", f"{OUTSIDE}/24", "dev", _SWITCH)
        ip("link", "set", _SWITCH, "up")
        yield [
            stack.enter_context(_host(name, f"{NETWORK}.{number}"))
            for number, name in enumerate(names, start=10)
        ]


def _remove_leftovers(names: Sequence[str]) -> None:
    """Remove what tests left that were killed."""
    left = [("netns", "del", name) for name in names]
    for arguments in [*left, ("link", "del", _SWITCH)]:
        with suppress(OSError, subprocess.CalledProcessError):
            ip(*arguments)


@contextmanager
def _host(name: str, address: str) -> Iterator[Host]:
    host = Host(name, address)
    ip("netns", "add", name)
    try:
        cable = f"{name}-cable"
        ip("link", "add", cable, "type", "veth", "peer", "name", "out", "netns", name)
        ip("link", "set", cable, "master", _SWITCH)
        ip("link", "set", cable, "up")
        ip("-n", name, "addr", "add", f"{address}/24", "dev", "out")
        for link in ("out", "lo"):
            ip("-n", name, "link", "set", link, "up")
        yield host
    finally:
        host.kill()
        ip("netns", "del", name)

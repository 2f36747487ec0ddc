"""Starts, finds and ends processes that must not outlive the launcher, even if it is killed."""

import ctypes
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil

from grader_pipeline.roles.errors import LauncherError

log = logging.getLogger(__name__)

MARK = "GRADER_LAUNCHER_HOME"
"""The environment variable that marks a launcher's processes. Its value is GRADER_HOME."""

_PR_SET_PDEATHSIG = 1

# Imported here, because nothing may be imported between fork and exec.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def start(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: IO[bytes],
    on_parents_death: signal.Signals = signal.SIGTERM,
    own_session: bool = True,
    user: tuple[int, int] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process; ``user`` has the numbers of another user and group, if it is to run as one.

    In its own session the process does not get the terminal's Ctrl+C, which the launcher handles,
    and :func:`end_session` finds what the process started.

    The kernel sends it ``on_parents_death`` when the *thread* that called this ends. That is so on
    Linux only. Elsewhere the next launcher ends the children of a killed one.

    SIGINT ends the process even if the launcher ignores it, as all do that a shell starts in the
    background. Dagster's processes would otherwise ignore SIGTERM too.
    """
    parent = os.getpid()
    other: dict[str, Any] = {}
    if user is not None:
        other = {"user": user[0], "group": user[1], "extra_groups": []}

    def tie_to_launcher() -> None:
        # A child would inherit that this process ignores them, and could not be ended.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, on_parents_death.value)
            if os.getppid() != parent:  # it ended before prctl
                os.kill(os.getpid(), signal.SIGKILL)

    return subprocess.Popen(
        arguments,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=own_session,
        **other,
        preexec_fn=tie_to_launcher,  # noqa: PLW1509 - it calls the kernel and nothing else
    )


def end(pids: Iterable[int], *, patience: float) -> set[int]:
    """Ask processes to end, and kill those that still run after ``patience`` seconds.

    Gives the pids of the killed ones.
    """
    alive = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        signaled = alive
        for process in signaled:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        _, alive = psutil.wait_procs(signaled, timeout=patience)
    return {process.pid for process in signaled}


def end_session(session: int, *, patience: float) -> None:
    """End all other processes of a session, also those whose parents are gone.

    A process may start another one while it ends, so this looks until there is none.
    """
    deadline = time.monotonic() + 3 * patience
    while time.monotonic() < deadline:
        members = _living(lambda process: os.getsid(process.pid) == session)
        if not members:
            break
        end(members, patience=patience)


def end_leftovers(home: Path, *, patience: float) -> None:
    """End the processes of earlier launchers of ``home``.

    The owner of ``home`` calls this before it starts anything: no process with the mark has a
    launcher then.
    """
    leftovers = _living(lambda process: process.environ().get(MARK) == str(home))
    if leftovers:
        log.warning("Ending %d processes left by a launcher that died", len(leftovers))
        end(leftovers, patience=patience)


def _living(condition: Callable[[psutil.Process], bool]) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError, psutil.Error):
            is_wanted = process.pid != os.getpid() and condition(process)
            if is_wanted and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def tail(output: Path) -> str:
    """The last 15 lines of a process's output."""
    return "\n".join(output.read_text(errors="replace").splitlines()[-15:])


def socket_place(home: Path, purpose: str, owner: int) -> Path:
    """The path of the folder for sockets. It is the same at each start.

    It is under /tmp, because the path of a socket has at most 107 bytes and GRADER_HOME may be
    longer.
    """
    name = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    return Path("/tmp") / f"grader-{purpose}-{owner}-{name}"  # noqa: S108 - checked when made


@contextmanager
def socket_folder(home: Path, purpose: str, owner: int) -> Iterator[Path]:
    """Make the folder for sockets, which only ``owner`` and root can enter; remove it at the end.

    Raises LauncherError when something else, or a folder of another user, is there.
    """
    folder = make_socket_folder(home, purpose, owner)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_socket_folder(home: Path, purpose: str, owner: int) -> Path:
    """Make the folder of :func:`socket_folder`, and leave it. Raises in the same way."""
    folder = socket_place(home, purpose, owner)
    try:
        folder.mkdir(mode=0o700)
        if owner != os.geteuid():
            os.chown(folder, owner, -1)
    except FileExistsError:
        if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != owner:
            raise LauncherError(
                f"{folder} belongs to somebody else: remove it, then start again."
            ) from None
        folder.chmod(0o700)
    return folder

"""Processes that end with the launcher, even when it is killed without a word.

What belongs here is how a process is started, ended and recognised, not what it is for.
"""

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
from typing import IO

import psutil

from grader_pipeline.local.errors import LauncherError
from grader_pipeline.local.server_account import Account

log = logging.getLogger(__name__)

MARK = "GRADER_LAUNCHER_HOME"
"""The variable by which a launcher's processes are known: it holds the launcher's GRADER_HOME."""

_PR_SET_PDEATHSIG = 1

# Looked up here, because between fork and exec nothing may be imported.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def start(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: IO[bytes],
    on_parents_death: signal.Signals = signal.SIGTERM,
    own_session: bool = True,
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process, as ``account`` if that is somebody else.

    In a session of its own it is out of reach of Ctrl+C, which is the launcher's to handle, and
    what it starts can be told by the session.

    The kernel sends it ``on_parents_death`` when the *thread* that called this ends (on Linux;
    elsewhere a killed launcher leaves its children to the next one).

    It can be interrupted, even if the launcher cannot: whatever a shell starts in the background
    ignores SIGINT, and so would its children. Dagster's then ignore SIGTERM too.
    """
    parent = os.getpid()
    if account is not None and account.is_ours:
        account = None

    def mortal() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, on_parents_death.value)
            if os.getppid() != parent:  # it died before the kernel was told
                os.kill(os.getpid(), signal.SIGKILL)

    return subprocess.Popen(
        arguments,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=own_session,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
        preexec_fn=mortal,  # noqa: PLW1509 - it calls the kernel and nothing else
    )


def end(pids: Iterable[int], *, patience: float) -> set[int]:
    """Ask processes to end, and kill those still there after ``patience`` seconds.

    Gives those that had to be killed.
    """
    asked = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    for process in asked:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(asked, timeout=patience)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=patience)
    return {process.pid for process in alive}


def end_session(session: int, *, patience: float) -> None:
    """End all other processes of a session, also those whose parents are gone.

    A process may start another while it is asked to end, so this looks until there is none.
    """
    deadline = time.monotonic() + 3 * patience
    while (members := _members(session)) and time.monotonic() < deadline:
        end(members, patience=patience)


def end_leftovers(home: Path, *, patience: float) -> None:
    """End what earlier launchers of ``home`` have left running.

    To be called by its owner only, before it starts anything: whatever carries the mark then, has
    lost its launcher.
    """
    leftovers = _living(lambda process: process.environ().get(MARK) == str(home))
    if leftovers:
        log.warning("Ending %d processes left by a launcher that died", len(leftovers))
        end(leftovers, patience=patience)


def _members(session: int) -> list[int]:
    return _living(lambda process: os.getsid(process.pid) == session)


def _living(condition: Callable[[psutil.Process], bool]) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError, psutil.Error):
            is_wanted = process.pid != os.getpid() and condition(process)
            if is_wanted and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def socket_place(home: Path, purpose: str, owner: int) -> Path:
    """Where sockets are while their folder exists, the same at every start.

    It lies under /tmp, because a socket's path may have 107 bytes at most and GRADER_HOME can be
    longer.
    """
    name = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    return Path("/tmp") / f"grader-{purpose}-{owner}-{name}"  # noqa: S108 - checked when made


@contextmanager
def socket_folder(home: Path, purpose: str, owner: int) -> Iterator[Path]:
    """The folder for sockets, which only ``owner`` (and root) can enter.

    Raises LauncherError when somebody else has put something in its place.
    """
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
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

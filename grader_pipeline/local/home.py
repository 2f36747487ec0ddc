"""GRADER_HOME can be written, and has one launcher: two would start two databases on its files."""

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from grader_pipeline.local.errors import LauncherError

log = logging.getLogger(__name__)

PATIENCE = 15
"""Seconds given to a launcher that is just ending."""


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Say which folder it is, and what to do, when something cannot be written to ``folder``.

    Raises LauncherError in place of OSError.
    """
    try:
        yield
    except OSError as error:
        raise LauncherError(
            f"{folder} cannot be written ({error.strerror}): set GRADER_HOME to a folder that can."
        ) from None


@contextmanager
def sole_owner(folder: Path) -> Iterator[None]:
    """Own ``folder`` until the block ends, or until this process dies in whatever way.

    Raises LauncherError naming the process that owns it already, or why it cannot be written.
    """
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "owner.lock").open("a+", encoding="utf-8")
    with lock as file:
        _lock(file, folder)
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid()}, file)
        file.flush()
        yield


def _lock(file: IO[str], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LauncherError(
                    f"{folder} is in use by {_owner(file)}. Stop that first (Ctrl+C in its "
                    "terminal), or set GRADER_HOME to another folder."
                ) from None
            if not told:
                log.info("%s is in use by %s; waiting up to %d s", folder, _owner(file), PATIENCE)
                told = True
            time.sleep(0.1)
        else:
            return


def _owner(file: IO[str]) -> str:
    file.seek(0)
    try:
        return f"process {json.load(file)['pid']}"
    except (ValueError, KeyError, TypeError):
        return "another process"

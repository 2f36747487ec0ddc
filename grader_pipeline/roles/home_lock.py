"""A folder of GRADER_HOME has one owner: one launcher, one database, one daemon, one run server."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from grader_pipeline.roles.errors import LauncherError, writable

log = logging.getLogger(__name__)

PATIENCE = 15
"""Seconds to wait for a launcher that is ending."""


@contextmanager
def sole_owner(folder: Path) -> Iterator[None]:
    """Own ``folder`` until the block ends, or until this process dies in any way.

    ``owner.lock`` in the folder is locked and holds this process's id. Release 0.1 locks it in the
    same way (flock).

    Raises LauncherError with the id of the process that owns the folder, or with the reason why
    the folder cannot be written.
    """
    note = folder / "owner.lock"
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        owned = _acquired(note)
    with owned:
        with writable(folder):
            note.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
        yield


def _acquired(note: Path) -> AbstractContextManager[object]:
    # A lock that is only a file would outlive a killed process.
    lock = FileLock(note, fallback_to_soft=False)
    try:
        return lock.acquire(blocking=False)
    except Timeout:
        owner = _owner(note)
        log.info("%s is in use by %s; waiting up to %d s", note.parent, owner, PATIENCE)
    try:
        return lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise LauncherError(
            f"{note.parent} is in use by {_owner(note)}. Stop that first (Ctrl+C in its "
            "terminal), or set GRADER_HOME to another folder."
        ) from None


def _owner(note: Path) -> str:
    try:
        return f"process {json.loads(note.read_text(encoding='utf-8'))['pid']}"
    except (ValueError, KeyError, TypeError):
        return "another process"

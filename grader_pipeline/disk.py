"""What a full disk says: which folder is on it, how much is needed, and what to do."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader_pipeline.failures import PermanentFailure

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def room(
    folder: Path, setting: str, *, needed: int | None = None, then: str = "run the day again"
) -> Iterator[None]:
    """Raise PermanentFailure in place of an OSError if the disk of ``folder`` is full.

    Its text names ``setting``, which moves the folder, and ``needed``, the bytes of the file that
    did not fit. ``then`` is what to do when there is room.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        there = megabytes(free(folder))
        missing = (
            f"{there} are free there, and that is not enough"
            if needed is None
            else f"{megabytes(needed)} are needed there, and {there} are free"
        )
        raise PermanentFailure(
            f"The disk of {folder} is full: {missing}. What was stored before is as it was. Make "
            f"room, or set {setting} to a folder on a larger disk, and {then}."
        ) from error


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A new folder in TMPDIR. The end of the block removes it.

    Raises PermanentFailure if the block raises an OSError because that disk is full.
    """
    parent = Path(tempfile.gettempdir())
    with (
        room(parent, "TMPDIR"),
        tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as folder,
    ):
        yield Path(folder)


def is_full(error: OSError) -> bool:
    """Whether the error says that the disk, or the user's share of it, is full."""
    return error.errno in _FULL


def free(folder: Path) -> int:
    """The free bytes of the disk of a folder, which need not exist yet."""
    return shutil.disk_usage(existing(folder)).free


def existing(folder: Path) -> Path:
    """The folder, or else the nearest one above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def megabytes(number: int) -> str:
    """A number of bytes as a text reads it."""
    return f"{number / 1e6:,.1f} MB"

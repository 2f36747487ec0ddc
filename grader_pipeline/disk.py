"""The room on a disk."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT}


def is_full(error: OSError) -> bool:
    """Whether the error says that the disk, or the user's share of it, is full."""
    return error.errno in _FULL


def free(folder: Path) -> int:
    """The free bytes of the disk of a folder, which need not exist yet."""
    return shutil.disk_usage(existing(folder)).free


def existing(folder: Path) -> Path:
    """The folder, or else the nearest one above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def is_writable(folder: Path) -> bool:
    """Whether the folder can be written, or made if it does not exist. Nothing is made."""
    nearest = existing(folder)
    try:
        # Root may do all, except where the disk is read-only.
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        return is_full(error) and os.access(nearest, os.W_OK)
    return True


def megabytes(number: int) -> str:
    """A number of bytes as a text reads it."""
    return f"{number / 1e6:,.1f} MB"

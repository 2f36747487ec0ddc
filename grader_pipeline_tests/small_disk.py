"""A disk that tests fill: a tmpfs, mounted by root. Without the right to mount, tests skip."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_DETACH = 2
_FILLER = "filler"

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def small_disk(folder: Path, size: int = 4 * 1024 * 1024) -> Iterator[Path]:
    """Mount an empty disk of ``size`` bytes on ``folder``, which is made if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    if _libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode()) != 0:
        pytest.skip(f"no disk can be mounted: {os.strerror(ctypes.get_errno())}")
    try:
        yield folder
    finally:
        _libc.umount2(os.fsencode(folder), _DETACH)


def fill(folder: Path, *, leave: int) -> None:
    """Leave ``leave`` bytes of the disk free, of which a file takes whole pages."""
    state = os.statvfs(folder)
    missing = state.f_bavail * state.f_frsize - leave
    assert missing >= 0
    with (folder / _FILLER).open("ab") as file:
        file.write(bytes(missing))


def make_room(folder: Path) -> None:
    """Remove what ``fill`` wrote."""
    (folder / _FILLER).unlink()


def names(folder: Path) -> list[str]:
    """The names of all files on the disk, the filler aside."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != _FILLER)
    return sorted(str(path.relative_to(folder)) for path in files)

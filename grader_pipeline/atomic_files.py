"""Files that are replaced in one step: a reader sees the old content or the new one, whole."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, *, mode: int = 0o600, one_writer: bool = False) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``path`` when the block ends.

    The content is on the disk before the name leads to it. If the block or the replacement fails,
    ``path`` is as it was and the new file is removed. A killed process leaves its new file behind:
    a hidden one, ``.*.new``, in the folder of ``path``.

    ``mode`` (less the umask) is for a file that was not there; otherwise the old file's rights are
    kept. ``one_writer`` says that the caller allows one writer of ``path`` at a time. The new file
    then has always the same name, so that the next write overwrites what a killed one left.

    Raises OSError.
    """
    new = path.with_name(f".{path.name if one_writer else secrets.token_hex(8)}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            if path.exists():
                shutil.copymode(path, new)
            yield file
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

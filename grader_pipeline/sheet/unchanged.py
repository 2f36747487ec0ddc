"""Whether the workbook shows what it would show if it were written now. Nobody reads it for that.

A note beside the workbook has a sum of what it was made of, and of the file as it was then. It
counts only in processes that were forked from one process: they have the same code, which lays a
workbook out.
"""

import hashlib
import uuid
from pathlib import Path

_CODE = uuid.uuid4().hex


def is_shown(path: Path, made_of: str) -> bool:
    """Whether the last write was made of the same, and nobody has changed the file since."""
    note = _note(path)
    return note.exists() and path.exists() and note.read_text() == _sum(path, made_of)


def note_shown(path: Path, made_of: str) -> None:
    """Note what the workbook was made of. The caller allows one writer at a time.

    Raises OSError if the note cannot be written.
    """
    _note(path).write_text(_sum(path, made_of))


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.shown")


def _sum(path: Path, made_of: str) -> str:
    found = path.stat()
    file = found.st_ino, found.st_size, found.st_mtime_ns
    return hashlib.sha256(repr((_CODE, file, made_of)).encode()).hexdigest()

"""What a step says of a full disk: which folder is on it, how much is needed, and what to do."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader_pipeline.disk import free, is_full, megabytes
from grader_pipeline.failures import PermanentFailure


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

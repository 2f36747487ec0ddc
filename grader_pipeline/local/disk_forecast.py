"""For how many more days the local disks have room, by what the last days took.

What PostgreSQL stores counts only for the embedded one: the disk of another server is not seen from
here. An object store counts as none either.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from grader_pipeline.asset_names import RAW_ATTEMPTS
from grader_pipeline.disk import existing, free, megabytes
from grader_pipeline.settings import Settings
from grader_pipeline.storage import SUFFIXES, local_folder

LAST = 28
"""Stored days that are looked at."""

# Bytes of a day of 50,000 attempts, while none is stored: its two files, and in the database.
_FIRST_FILES, _FIRST_ROWS = 10_000_000, 50_000_000

_UNPACKED = 10
"""How much larger a worksheet is before it is packed into the workbook."""


@dataclass
class Disk:
    """A disk, the folders on it by the settings that name them, and bytes."""

    free: int
    folders: dict[str, Path] = field(default_factory=dict)
    day: int = 0
    """What a day adds and leaves there."""
    meanwhile: int = 0
    """What a day's run needs there until it ends."""

    @property
    def days(self) -> int | None:
        """How many more days fit. None if days leave nothing there, and the next one fits."""
        left = self.free - self.meanwhile
        if self.day == 0:
            return 0 if left < 0 else None
        return max(0, left // self.day)

    def __str__(self) -> str:
        """The disk as doctor shows it."""
        where = ", ".join(f"{setting} ({folder})" for setting, folder in self.folders.items())
        takes = [f"a day leaves {megabytes(self.day)}"] if self.day else []
        if self.meanwhile:
            takes.append(f"its run needs {megabytes(self.meanwhile)} meanwhile")
        fit = "room for the next day" if self.days is None else f"room for {self.days:,} days"
        said = "; ".join([*takes, fit])
        return f"{where}: {megabytes(self.free)} free; {said}"


def disks(settings: Settings) -> list[Disk]:
    """The local disks that a day needs, each once."""
    found: dict[int, Disk] = {}

    def add(setting: str, folder: Path, day: int, meanwhile: int) -> None:
        device = existing(folder).stat().st_dev
        disk = found.setdefault(device, Disk(free(folder)))
        disk.folders[setting] = folder
        disk.day += day
        disk.meanwhile += meanwhile

    days = _stored_days(settings)
    storage = local_folder(settings)
    workbook = _size([settings.workbook])
    database = _database_day(settings, days) if settings.database_url is None else 0
    texts = _largest(settings.outbox_dir.glob("*.eml")) + _largest(settings.logs_dir.glob("*.txt*"))
    # A new workbook is written beside the old one. PostgreSQL writes each change to its log first.
    add("GRADER_HOME", settings.grader_home, database + texts, workbook + 2 * database)
    if storage is not None:
        add("GRADER_STORAGE", storage, max(days, default=_FIRST_FILES), 0)
    temporary = max(max(days, default=_FIRST_FILES), _UNPACKED * workbook)
    add("TMPDIR", Path(tempfile.gettempdir()), 0, temporary)
    return list(found.values())


def _stored_days(settings: Settings) -> list[int]:
    """The bytes of the files of the last stored days, oldest first."""
    storage = local_folder(settings)
    if storage is None:
        return []
    raw = SUFFIXES[RAW_ATTEMPTS]
    names = sorted(file.name.removesuffix(raw) for file in _files(storage / RAW_ATTEMPTS, raw))
    return [
        _size(storage / asset / f"{name}{suffix}" for asset, suffix in SUFFIXES.items())
        for name in names[-LAST:]
    ]


def _database_day(settings: Settings, days: list[int]) -> int:
    """What a large day takes in the embedded database: an average day's bytes, and in proportion.

    Dagster's records are in it.
    """
    databases = settings.grader_home / "postgres" / "data" / "base"
    storage = local_folder(settings)
    stored = sum(1 for _ in _files(storage / RAW_ATTEMPTS, "")) if storage is not None else 0
    with suppress(OSError):
        each = [_size(path.rglob("*")) for path in databases.iterdir()]
        # Each database begins as a copy of the smallest.
        grown = sum(each) - len(each) * min(each)
        if days and stored and grown > 0 and sum(days):
            return grown * max(days) * len(days) // (stored * sum(days))
    return _FIRST_ROWS


def _files(folder: Path, suffix: str) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (entry for entry in entries if entry.name.endswith(suffix))


def _largest(paths: Iterable[Path]) -> int:
    return max((_size([path]) for path in paths), default=0)


def _size(paths: Iterable[Path]) -> int:
    total = 0
    for path in paths:
        # A file may be gone by now, or never have been there.
        with suppress(OSError):
            total += path.stat().st_size
    return total

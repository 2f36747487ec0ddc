"""UTC days as bytes on disk, and the slices of them that make up a window."""

import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from threading import Lock
from typing import IO

import numpy as np

from grader_pipeline.sample_api.dirt import draw_dirt
from grader_pipeline.sample_api.draw import draw_day
from grader_pipeline.sample_api.school import Ints, dice
from grader_pipeline.sample_api.wire import rows_as_text

BATCH = 20_000  # rows written at once
CHUNK = 1 << 20  # bytes sent at once
KEPT_ROWS = 2_000_000  # about 1 GB on disk
LEAST_DAYS = 2  # a Moscow day lies on two UTC days
MOST_DAYS = 64  # each has an open file
SEPARATOR = ",\n"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class StoredDay:
    """A UTC day's rows in a temporary file that is gone with the last reader."""

    file: IO[bytes]
    moments: Ints
    """Of each clean row: UTC, microseconds since 1970, ascending."""
    offsets: Ints
    """Where in the file each clean row starts. Its dirty copies follow it. The last is the end."""

    def slice(self, start: int, end: int) -> Iterator[bytes]:
        """Read the rows of a window, the last moment included, without a separator at the end."""
        first = np.searchsorted(self.moments, start, side="left")
        last = np.searchsorted(self.moments, end, side="right")
        at, stop = int(self.offsets[first]), int(self.offsets[max(first, last)]) - len(SEPARATOR)
        while at < stop:
            # A read with a position of its own, because several requests share the file.
            chunk = os.pread(self.file.fileno(), min(CHUNK, stop - at), at)
            at += len(chunk)
            yield chunk


class Days:
    """The school's days, written when first asked for; the last ones are kept."""

    def __init__(self, rows: int, dirty: float) -> None:
        kept = min(MOST_DAYS, max(LEAST_DAYS, KEPT_ROWS // (rows or 1)))
        self._day = lru_cache(kept)(partial(write_day, rows=rows, dirty=dirty))
        self._one_at_a_time = Lock()

    def window(self, start: dt.datetime, end: dt.datetime) -> Iterator[bytes]:
        """Give the JSON list of a window in aware UTC, the end included."""
        since, until = ((moment - EPOCH) // dt.timedelta(microseconds=1) for moment in (start, end))
        yield b"["
        separator = b""
        for ordinal in range(start.toordinal(), end.toordinal() + 1):
            with self._one_at_a_time:
                day = self._day(dt.date.fromordinal(ordinal))
            for position, chunk in enumerate(day.slice(since, until)):
                if position == 0:
                    yield separator
                    separator = SEPARATOR.encode()
                yield chunk
        yield b"]"


def write_day(date: dt.date, rows: int, dirty: float) -> StoredDay:
    """Draw a UTC day and write it, with `dirty` times as many dirty rows as clean ones."""
    ids, attempts = draw_day(date, rows)
    chance = dice("dirt", date.toordinal(), rows)
    models = np.sort(chance.integers(0, len(attempts) or 1, round(dirty * len(attempts))))
    copies = iter(np.bincount(models, minlength=len(attempts)).tolist())
    dirt = draw_dirt(len(models), chance)

    file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the StoredDay
    sizes = [0]
    for start in range(0, len(attempts), BATCH):
        batch = []
        for row in rows_as_text(ids, attempts[start : start + BATCH]):
            spoiled = [spoil(row) for spoil in islice(dirt, next(copies))]
            batch.append(SEPARATOR.join([row, *spoiled, ""]))
        sizes += map(len, batch)
        file.write("".join(batch).encode("ascii"))
    file.flush()
    return StoredDay(file, attempts.moment.copy(), np.cumsum(sizes))

"""UTC days as bytes on disk, and the slices of them that make up a window."""

import datetime as dt
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
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
KEPT_BYTES = 1 << 30
LEAST_DAYS = 2  # kept: a Moscow day lies on two UTC days
MOST_DAYS = 64  # kept: each has an open file
SEPARATOR = ",\n"
MICROSECOND = dt.timedelta(microseconds=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class StoredDay:
    """A UTC day's rows in a temporary file that is gone with the last reader."""

    file: IO[bytes]
    moments: Ints
    """Of each clean row: UTC, microseconds since 1970, ascending."""
    offsets: Ints
    """Where in the file each clean row starts, with its dirty copies behind it; then the end."""

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
        self._rows = rows
        self._dirty = dirty
        self._kept: OrderedDict[dt.date, StoredDay] = OrderedDict()
        self._one_at_a_time = Lock()

    def window(self, start: dt.datetime, end: dt.datetime) -> Iterator[bytes]:
        """Give the JSON list of a window in aware UTC, the end included."""
        since, until = ((moment - EPOCH) // MICROSECOND for moment in (start, end))
        yield b"["
        separator = b""
        for ordinal in range(start.toordinal(), end.toordinal() + 1):
            day = self._day(dt.date.fromordinal(ordinal))
            for position, chunk in enumerate(day.slice(since, until)):
                if position == 0:
                    yield separator
                    separator = SEPARATOR.encode()
                yield chunk
        yield b"]"

    def _day(self, date: dt.date) -> StoredDay:
        with self._one_at_a_time:
            if date not in self._kept:
                self._kept[date] = write_day(date, self._rows, self._dirty)
            self._kept.move_to_end(date)
            while len(self._kept) > MOST_DAYS or (
                len(self._kept) > LEAST_DAYS
                and sum(day.offsets[-1] for day in self._kept.values()) > KEPT_BYTES
            ):
                self._kept.popitem(last=False)
            return self._kept[date]


def write_day(date: dt.date, rows: int, dirty: float) -> StoredDay:
    """Draw a UTC day and write it, with `dirty` times as many dirty rows as clean ones."""
    ids, attempts = draw_day(date, rows)
    chance = dice("dirt", date.toordinal(), rows)
    models = np.sort(chance.integers(0, len(attempts) or 1, round(dirty * len(attempts))))
    copies = np.bincount(models, minlength=len(attempts)).tolist()
    dirt = draw_dirt(len(models), chance)

    file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the StoredDay
    sizes = np.zeros(len(attempts), dtype=np.int64)
    for start in range(0, len(attempts), BATCH):
        batch = []
        for index, row in enumerate(rows_as_text(ids, attempts[start : start + BATCH]), start):
            spoiled = [spoil(row) for spoil in islice(dirt, copies[index])]
            text = SEPARATOR.join([row, *spoiled, ""])
            sizes[index] = len(text)
            batch.append(text)
        file.write("".join(batch).encode("ascii"))
    file.flush()
    return StoredDay(file, attempts.moment, np.concatenate([[0], np.cumsum(sizes)]))

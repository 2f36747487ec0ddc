"""The file of a validated day: a Parquet file with a row for each element of the answer.

No element is lost: an attempt has values and no reasons; a refused element has reasons and its
text. The footer holds the day's tally.

Parquet has checksums of its pages, and none of its footer. So the tally has one of its own, and
the rows and columns that are read are compared with what they should be.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from grader_pipeline.attempts.columns import COLUMNS, DISTINCT, NAMES, TEXT

_READ_BATCH = 10_000
"""Rows of a validated day read at once. So few stay in the processor's cache until COPY."""

FILE_SCHEMA = pa.schema(
    [
        pa.field("position", pa.int32(), nullable=False),
        *(pa.field(column.name, column.kind.arrow) for column in COLUMNS),
        pa.field("reasons", pa.list_(pa.string())),
        pa.field("row", pa.string()),
    ]
)

# Parquet stores a text once for each batch of attempts. Given so, it is not searched for again.
_WRITTEN = pa.schema(
    field.with_type(DISTINCT) if field.type == TEXT.arrow and field.name in NAMES else field
    for field in FILE_SCHEMA
)

# Their names in the footer. Files of release 0.2.0 have no checksum.
_TALLY, _TALLY_CRC32 = b"tally", b"tally_crc32"


@dataclass
class Tally:
    """The counts of an answer's elements.

    ``received = valid + duplicates + rejected``. ``reasons`` counts words, so an element with two
    reasons counts twice there. ``courses`` and ``courses_without_url`` count valid attempts,
    ``courses_rejected`` rejected elements. ``unread`` are valid attempts without a readable course
    or task. ``large_courses`` have LEAST_LEARNERS or more with valid attempts,
    ``large_courses_rejected`` with rejected elements: a check names only them.
    ``forgotten`` are those of the rejected that were a forgotten learner's.

    ``received_by_type``, ``rejected_by_type`` and ``valid_by_type`` count by attempt type. It is
    read without case and outer blanks, so that refused submits count as submits when the API
    spells the word in another way. An element with another or no attempt type counts in none.
    """

    body_sha256: str = ""
    received: int = 0
    duplicates: int = 0
    rejected: int = 0
    forgotten: int = 0
    verdict_disagrees: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    courses: dict[str, int] = field(default_factory=dict)
    courses_without_url: dict[str, int] = field(default_factory=dict)
    courses_rejected: dict[str, int] = field(default_factory=dict)
    received_by_type: dict[str, int] = field(default_factory=dict)
    rejected_by_type: dict[str, int] = field(default_factory=dict)
    valid_by_type: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    large_courses: list[str] = field(default_factory=list)
    large_courses_rejected: list[str] = field(default_factory=list)

    @property
    def valid(self) -> int:
        """Attempts fit to be loaded."""
        return self.received - self.duplicates - self.rejected


@contextmanager
def written(file: Path, tally: Tally) -> Iterator[Callable[[pa.Table], None]]:
    """A function that adds a table to the validated day ``file``. Texts may be distinct or plain.

    When the block ends, the footer gets the tally.
    """
    with pq.ParquetWriter(
        file,
        _WRITTEN,
        compression="zstd",
        write_page_checksum=True,
        # Readers get the columns of FILE_SCHEMA.
        store_schema=False,
        # Nobody asks for them, and they take a third of writing.
        write_statistics=False,
        use_dictionary=[field.name for field in _WRITTEN if field.type == DISTINCT],
    ) as writer:
        yield lambda table: writer.write_table(table.cast(_WRITTEN))
        text = msgspec.json.encode(tally)
        writer.add_key_value_metadata({_TALLY: text, _TALLY_CRC32: b"%d" % zlib.crc32(text)})


class DamagedFileError(ValueError):
    """The file is no validated day: it is cut short, or its content has changed."""


@contextmanager
def _reading() -> Iterator[None]:
    """Raise DamagedFileError for what pyarrow, msgspec and this module find wrong in a file."""
    try:
        yield
    # pyarrow raises UnicodeDecodeError, a ValueError, for names of columns.
    except (pa.ArrowException, ValueError, KeyError, TypeError, OSError) as error:
        # pyarrow's own OSError has no number. One of the disk or the network has.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedFileError(f"cannot be read ({error})") from error


def opened(file: BinaryIO) -> pq.ParquetFile:
    """The Parquet file of a validated day. Raises DamagedFileError, as all that read from it."""
    with _reading():
        return pq.ParquetFile(file, page_checksum_verification=True)


def tally_of(file: pq.ParquetFile) -> Tally:
    """The tally in the footer of a validated day."""
    with _reading():
        footer = file.metadata.metadata
        text = footer[_TALLY]
        if int(footer.get(_TALLY_CRC32, zlib.crc32(text))) != zlib.crc32(text):
            raise ValueError("the checksum of its tally is another one")
        return msgspec.json.decode(text, type=Tally)


def attempts(file: pq.ParquetFile) -> Iterator[pa.Table]:
    """The attempts of a validated day, batch by batch: ``position`` and ``COLUMNS``."""
    for batch in tables(file, ["position", *NAMES, "reasons"]):
        yield batch.filter(batch["reasons"].is_null()).drop_columns("reasons")


def quarantine(file: pq.ParquetFile) -> Iterator[pa.Table]:
    """The refused elements of a validated day, batch by batch: ``position, reasons, row``.

    ``row`` is the element as received, and empty if it was a forgotten learner's.
    """
    for batch in tables(file, ["position", "reasons", "row"]):
        yield batch.filter(batch["reasons"].is_valid())


def tables(file: pq.ParquetFile, columns: list[str]) -> Iterator[pa.Table]:
    """These columns of a validated day, batch by batch."""
    batches = file.iter_batches(batch_size=_READ_BATCH, columns=columns, use_threads=False)
    missing = tally_of(file).received
    expected = pa.schema([FILE_SCHEMA.field(name) for name in columns])
    while True:
        with _reading():
            batch = next(batches, None)
            if batch is None and missing:
                raise ValueError(f"it lacks {missing} rows")
            if batch is not None and not batch.schema.equals(expected):
                raise ValueError(f"it has other columns: {', '.join(batch.schema.names)}")
        if batch is None:
            return
        missing -= batch.num_rows
        yield pa.Table.from_batches([batch])

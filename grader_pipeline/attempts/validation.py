"""A day's answer, validated: every element in its place, as an attempt or with its reasons.

The result is one Parquet file with as many rows as the answer has elements, so no element is lost.
An attempt has values and no reasons; a refused element has reasons and its text. The footer holds
the day's tally.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grader_pipeline.attempts.columns import ATTEMPT_TYPES, COLUMNS, NAMES, attempt_columns
from grader_pipeline.attempts.course_and_task import course_and_task, pairs
from grader_pipeline.attempts.decoding import decode
from grader_pipeline.attempts.duplicates import SeenKeys
from grader_pipeline.attempts.forgotten import FORGOTTEN
from grader_pipeline.attempts.response import Element, batches
from grader_pipeline.attempts.schema import Reason, Reasons, all_reasons, schema
from grader_pipeline.partitions import SchoolDay
from grader_pipeline.small_groups import LEAST_LEARNERS

BATCH = 50_000
"""Elements validated at once. More take more memory; fewer take more time, for pandera's price is
per call."""

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

TALLY = b"tally"  # Its name in the footer.

_DUPLICATE = Reason.DUPLICATE_KEY.value
_FORGOTTEN = Reason.FORGOTTEN_LEARNER.value


_Named = tuple[str | None, str | None]
"""A course, None if it cannot be read, and a learner."""


@dataclass
class Tally:
    """The counts of an answer's elements.

    ``received = valid + duplicates + rejected``. ``reasons`` counts words, so an element with two
    reasons counts twice there. ``courses`` and ``courses_without_url`` count valid attempts,
    ``courses_rejected`` rejected elements. ``unread`` are valid attempts without a readable course
    or task. ``large_courses`` have LEAST_LEARNERS or more with valid attempts: only they are named.
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

    @property
    def valid(self) -> int:
        """Attempts fit to be loaded."""
        return self.received - self.duplicates - self.rejected


def validate(
    body: BinaryIO, day: SchoolDay, file: Path, *, require_outcome_url: bool = False
) -> Tally:
    """Write the validated day to the Parquet ``file`` and return its tally.

    ``body`` is the answer, uncompressed. Raises NotAListError.
    """
    tally = Tally()
    digest = hashlib.sha256()
    seen = SeenKeys()
    learners: dict[str, set[str]] = {}
    columns = attempt_columns(require_outcome_url=require_outcome_url)
    required = [column.name for column in columns if column.presence == "required"]
    rules = schema(day.start, day.end, columns)
    with pq.ParquetWriter(
        file, FILE_SCHEMA, compression="zstd", write_page_checksum=True
    ) as writer:
        for batch in batches(body, BATCH, digest.update):
            frame, reasons = decode(batch, columns)
            reasons = all_reasons(frame, rules, reasons)
            reasons |= {p: [_FORGOTTEN] for p in reasons if bytes(batch[p]) == FORGOTTEN}
            clean = frame.drop(index=list(reasons))
            if clean[required].isna().any(axis=None):
                raise AssertionError("an attempt without a required value has no reason")
            repeated = seen.repeated(clean)
            reasons.update({place: [_DUPLICATE] for place in clean.index[repeated]})
            writer.write_table(_table(batch, frame, reasons, tally.received))
            named, places = _named_pairs(clean[~repeated])
            _count(tally, frame, clean[~repeated], _courses(named, places), reasons)
            _note_learners(learners, named)
            # The loop reads the next batch before it assigns these names again.
            del batch, frame, clean
        tally.body_sha256 = digest.hexdigest()
        tally.large_courses = sorted(
            course for course, users in learners.items() if len(users) >= LEAST_LEARNERS
        )
        writer.add_key_value_metadata({TALLY: msgspec.json.encode(tally)})
    # What follows needs less memory, and would take it in addition.
    pa.default_memory_pool().release_unused()
    return tally


class DamagedFileError(ValueError):
    """The file is no validated day: it is cut short, or its content has changed."""


@contextmanager
def _reading() -> Iterator[None]:
    """Raise DamagedFileError for what pyarrow and msgspec find wrong in a file."""
    try:
        yield
    except (pa.ArrowException, msgspec.MsgspecError, KeyError, TypeError, OSError) as error:
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
        return msgspec.json.decode(file.metadata.metadata[TALLY], type=Tally)


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


def decoded_elements(body: BinaryIO) -> Iterator[tuple[int, Element, tuple[Any, ...]]]:
    """Each element of an answer: its position, the element, and its values of ``COLUMNS``.

    A value that cannot be read is None. Raises NotAListError.
    """
    position = 0
    for batch in batches(body, BATCH, lambda _: None):
        frame, _ = decode(batch, COLUMNS)
        columns = (_arrow(frame, name).to_pylist() for name in NAMES)
        for element, values in zip(batch, zip(*columns, strict=True), strict=True):
            yield position, element, values
            position += 1


def tables(file: pq.ParquetFile, columns: list[str]) -> Iterator[pa.Table]:
    """These columns of a validated day, batch by batch."""
    batches = file.iter_batches(batch_size=_READ_BATCH, columns=columns, use_threads=False)
    while True:
        with _reading():
            batch = next(batches, None)
        if batch is None:
            return
        yield pa.Table.from_batches([batch])


def _table(batch: list[Element], frame: pd.DataFrame, reasons: Reasons, offset: int) -> pa.Table:
    texts = {
        place: "" if words == [_FORGOTTEN] else bytes(batch[place]).decode()
        for place, words in reasons.items()
    }
    columns = [
        pa.array(range(offset, offset + len(frame)), pa.int32()),
        *(_arrow(frame, name) for name in NAMES),
        pa.array(map(reasons.get, frame.index), pa.list_(pa.string())),
        pa.array(map(texts.get, frame.index), pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=FILE_SCHEMA)


def _arrow(frame: pd.DataFrame, name: str) -> pa.Array:
    return pa.array(frame[name], FILE_SCHEMA.field(name).type, from_pandas=True)


def _count(
    tally: Tally, frame: pd.DataFrame, valid: pd.DataFrame, courses: pa.Array, reasons: Reasons
) -> None:
    rejected = frame.loc[[place for place, words in reasons.items() if words != [_DUPLICATE]]]
    tally.received += len(frame)
    tally.duplicates += len(reasons) - len(rejected)
    tally.rejected += len(rejected)
    tally.forgotten += sum(words == [_FORGOTTEN] for words in reasons.values())
    words = [word for why in reasons.values() for word in why]
    _add(tally.reasons, pa.array(words, pa.string()))
    is_submit = valid["attempt_type"] == "submit"
    tally.verdict_disagrees += int((is_submit != valid["is_correct"].notna()).sum())
    without_url = valid["lis_outcome_service_url"].isna()
    tally.unread += courses.null_count
    _add(tally.courses, courses)
    _add(tally.courses_without_url, courses.filter(pa.array(without_url)))
    _add(tally.courses_rejected, _courses(*_named_pairs(rejected)))
    _add(tally.received_by_type, _attempt_types(frame))
    _add(tally.rejected_by_type, _attempt_types(rejected))
    _add(tally.valid_by_type, _attempt_types(valid))


def _courses(named: Sequence[_Named], places: pa.Array) -> pa.Array:
    """The course of each row; null if its course and task cannot be read."""
    return pa.array([course for course, _ in named], pa.string()).take(places)


def _note_learners(learners: dict[str, set[str]], named: Iterable[_Named]) -> None:
    """Add learners of each course, no more than it takes to be large."""
    for course, learner in named:
        if course and learner and len(users := learners.setdefault(course, set())) < LEAST_LEARNERS:
            users.add(learner)


def _named_pairs(frame: pd.DataFrame) -> tuple[list[_Named], pa.Array]:
    """The distinct pairs of course and learner, and each row's place among them."""
    learners, sourcedids = (
        pa.array(frame[name], pa.string(), from_pandas=True)
        for name in ("user_id", "lis_result_sourcedid")
    )
    texts, places = pairs(learners, sourcedids)
    found = [
        (course_and_task(sourcedid or "", learner or ""), learner) for learner, sourcedid in texts
    ]
    return [(names and names[0], learner) for names, learner in found], places


def _attempt_types(frame: pd.DataFrame) -> pa.Array:
    """The attempt types of the rows that have a known one, read without case and outer blanks."""
    texts = pa.array(frame["attempt_type"], pa.string(), from_pandas=True)
    words = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    return words.filter(pc.is_in(words, pa.array(ATTEMPT_TYPES)))


def _add(counts: dict[str, int], words: pa.Array) -> None:
    for found in words.drop_null().value_counts().to_pylist():
        counts[found["values"]] = counts.get(found["values"], 0) + found["counts"]

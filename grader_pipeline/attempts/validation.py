"""A day's answer, validated: every element in its place, as an attempt or with its reasons.

The result is the file that ``validated_file.py`` describes, and its tally.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from grader_pipeline.attempts.columns import ATTEMPT_TYPES, COLUMNS, NAMES, attempt_columns
from grader_pipeline.attempts.course_and_task import course_and_task, pairs
from grader_pipeline.attempts.decoding import decode
from grader_pipeline.attempts.duplicates import SeenKeys
from grader_pipeline.attempts.forgotten import FORGOTTEN
from grader_pipeline.attempts.response import Element, batches
from grader_pipeline.attempts.schema import Reason, Reasons, all_reasons, schema
from grader_pipeline.attempts.validated_file import FILE_SCHEMA, Tally, written
from grader_pipeline.partitions import SchoolDay
from grader_pipeline.small_groups import LEAST_LEARNERS

BATCH = 50_000
"""Elements validated at once. More take more memory; fewer take more time, for pandera's price is
per call."""

_DUPLICATE = Reason.DUPLICATE_KEY.value
_FORGOTTEN = Reason.FORGOTTEN_LEARNER.value


_Learners = dict[str, set[str]]
"""Learners of each course, at most LEAST_LEARNERS of them."""


def validate(
    body: BinaryIO, day: SchoolDay, file: Path, *, require_outcome_url: bool = False
) -> Tally:
    """Write the validated day to the Parquet ``file`` and return its tally.

    ``body`` is the answer, uncompressed. Raises NotAListError.
    """
    tally = Tally()
    digest = hashlib.sha256()
    seen = SeenKeys()
    learners: _Learners = {}
    rejected_learners: _Learners = {}
    columns = attempt_columns(require_outcome_url=require_outcome_url)
    required = [column.name for column in columns if column.presence == "required"]
    rules = schema(day.start, day.end, columns)
    with written(file, tally) as writer:
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
            rejected = frame.loc[[p for p, words in reasons.items() if words != [_DUPLICATE]]]
            valid = clean[~repeated]
            courses, of_rejected = _courses(valid, learners), _courses(rejected, rejected_learners)
            _count(tally, frame, valid, courses, rejected, of_rejected, reasons)
            # The loop reads the next batch before it assigns these names again.
            del batch, frame, clean, rejected, valid
        tally.body_sha256 = digest.hexdigest()
        tally.large_courses = _large(learners)
        tally.large_courses_rejected = _large(rejected_learners)
    # What follows needs less memory, and would take it in addition.
    pa.default_memory_pool().release_unused()
    return tally


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
    return pa.array(frame[name], FILE_SCHEMA.field(name).type)


def _count(
    tally: Tally,
    frame: pd.DataFrame,
    valid: pd.DataFrame,
    courses: pa.Array,
    rejected: pd.DataFrame,
    rejected_courses: pa.Array,
    reasons: Reasons,
) -> None:
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
    _add(tally.courses_rejected, rejected_courses)
    _add(tally.received_by_type, _attempt_types(frame))
    _add(tally.rejected_by_type, _attempt_types(rejected))
    _add(tally.valid_by_type, _attempt_types(valid))


def _courses(frame: pd.DataFrame, noted: _Learners) -> pa.Array:
    """The course of each row; null if its course and task cannot be read. Its learner is noted."""
    learners, sourcedids = (
        pa.array(frame[name], pa.string()) for name in ("user_id", "lis_result_sourcedid")
    )
    texts, places = pairs(learners, sourcedids)
    courses: list[str | None] = []
    for learner, sourcedid in texts:
        names = course_and_task(sourcedid or "", learner or "")
        courses.append(names and names[0])
        if names and learner and len(known := noted.setdefault(names[0], set())) < LEAST_LEARNERS:
            known.add(learner)
    return pa.array(courses, pa.string()).take(places)


def _large(noted: _Learners) -> list[str]:
    """The courses with so many learners that they may be named."""
    return sorted(course for course, known in noted.items() if len(known) >= LEAST_LEARNERS)


def _attempt_types(frame: pd.DataFrame) -> pa.Array:
    """The attempt types of the rows that have a known one, read without case and outer blanks."""
    texts = pa.array(frame["attempt_type"], pa.string())
    words = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    return words.filter(pc.is_in(words, pa.array(ATTEMPT_TYPES)))


def _add(counts: dict[str, int], words: pa.Array) -> None:
    for found in words.drop_null().value_counts().to_pylist():
        counts[found["values"]] = counts.get(found["values"], 0) + found["counts"]

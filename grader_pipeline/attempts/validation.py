"""A day's answer, validated: every element in its place, as an attempt or with its reasons.

The result is the file that ``validated_file.py`` describes, and its tally.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from grader_pipeline.attempts.columns import ATTEMPT_TYPES, COLUMNS, attempt_columns
from grader_pipeline.attempts.course_and_task import courses_and_tasks
from grader_pipeline.attempts.decoding import decode
from grader_pipeline.attempts.duplicates import SeenKeys
from grader_pipeline.attempts.forgotten import FORGOTTEN
from grader_pipeline.attempts.response import Element, batches
from grader_pipeline.attempts.schema import Reason, Reasons, all_reasons, check_types, schema
from grader_pipeline.attempts.validated_file import FILE_SCHEMA, Tally, written
from grader_pipeline.in_thread import in_thread, read_ahead
from grader_pipeline.partitions import SchoolDay
from grader_pipeline.small_groups import LEAST_LEARNERS

BATCH = 45_000
"""Elements validated at once. More take more memory, and hardly less time."""

_DUPLICATE = Reason.DUPLICATE_KEY.value
_FORGOTTEN = Reason.FORGOTTEN_LEARNER.value


_Learners = defaultdict[str, set[str]]
"""Learners of each course, all or at least LEAST_LEARNERS of them."""


def validate(
    body: BinaryIO, day: SchoolDay, file: Path, *, require_outcome_url: bool = False
) -> Tally:
    """Write the validated day to the Parquet ``file`` and return its tally.

    ``body`` is the answer, uncompressed. Raises NotAListError.
    """
    tally = Tally()
    digest = hashlib.sha256()
    seen = SeenKeys()
    learners: _Learners = defaultdict(set)
    rejected_learners: _Learners = defaultdict(set)
    columns = attempt_columns(require_outcome_url=require_outcome_url)
    required = [column.name for column in columns if column.presence == "required"]
    rules = schema(day.start, day.end, columns)
    with written(file, tally) as add:
        decoded = (
            (batch, *decode(batch, columns)) for batch in batches(body, BATCH, digest.update)
        )
        with in_thread(add, waiting=1) as write, read_ahead(decoded, waiting=1) as ahead:
            for batch, table, found in ahead:
                check_types(table.schema, columns)
                reasons = all_reasons(table, rules, found)
                reasons |= {p: [_FORGOTTEN] for p in reasons if bytes(batch[p]) == FORGOTTEN}
                is_rejected = _mask(len(batch), list(reasons))
                rejected = table.filter(pa.array(is_rejected))
                places = np.flatnonzero(~is_rejected)
                valid = table.take(pa.array(places))
                if any(valid[name].null_count for name in required):
                    raise AssertionError("an attempt without a required value has no reason")
                is_repeated = seen.repeated(valid)
                reasons.update({place: [_DUPLICATE] for place in places[is_repeated].tolist()})
                write(_with_reasons(table, batch, reasons, tally.received))
                valid = valid.filter(pa.array(~is_repeated))
                courses = _courses(valid, learners)
                of_rejected = _courses(rejected, rejected_learners)
                _count(tally, table, valid, courses, rejected, of_rejected, reasons)
                # The loop reads the next batch before it assigns these names again.
                del batch, table, rejected, valid
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
        table, _ = decode(batch, COLUMNS)
        columns = (column.to_pylist() for column in table.columns)
        for element, values in zip(batch, zip(*columns, strict=True), strict=True):
            yield position, element, values
            position += 1


def _mask(length: int, places: list[int]) -> npt.NDArray[np.bool_]:
    """True at the places."""
    mask = np.zeros(length, bool)
    mask[places] = True
    return mask


def _with_reasons(
    table: pa.Table, batch: list[Element], reasons: Reasons, position: int
) -> pa.Table:
    """The rows of the file for a batch. The first element is at ``position``."""
    texts = [
        "" if words == [_FORGOTTEN] else bytes(batch[place]).decode()
        for place, words in reasons.items()
    ]
    number = np.full(len(batch), -1, "i4")
    number[list(reasons)] = np.arange(len(reasons))
    of_refused = pa.array(number, mask=number < 0)
    columns = [
        pa.array(np.arange(position, position + len(batch), dtype="i4")),
        *table.columns,
        pa.array(reasons.values(), pa.list_(pa.string())).take(of_refused),
        pa.array(texts, pa.string()).take(of_refused),
    ]
    return pa.Table.from_arrays(columns, names=FILE_SCHEMA.names)


def _count(
    tally: Tally,
    table: pa.Table,
    valid: pa.Table,
    courses: pa.Array,
    rejected: pa.Table,
    rejected_courses: pa.Array,
    reasons: Reasons,
) -> None:
    tally.received += len(table)
    tally.duplicates += len(reasons) - len(rejected)
    tally.rejected += len(rejected)
    tally.forgotten += sum(words == [_FORGOTTEN] for words in reasons.values())
    words = [word for why in reasons.values() for word in why]
    _add(tally.reasons, pa.array(words, pa.string()))
    is_submit = pc.equal(valid["attempt_type"], "submit")
    has_verdict = valid["is_correct"].is_valid()
    tally.verdict_disagrees += pc.sum(pc.not_equal(is_submit, has_verdict)).as_py() or 0
    tally.unread += courses.null_count
    _add(tally.courses, courses)
    _add(tally.courses_without_url, courses.filter(valid["lis_outcome_service_url"].is_null()))
    _add(tally.courses_rejected, rejected_courses)
    _add(tally.received_by_type, _attempt_types(table))
    _add(tally.rejected_by_type, _attempt_types(rejected))
    _add(tally.valid_by_type, _attempt_types(valid))


def _courses(attempts: pa.Table, noted: _Learners) -> pa.Array:
    """The course of each row; null if its course and task cannot be read. Its learner is noted."""
    found, places = courses_and_tasks(attempts["user_id"], attempts["lis_result_sourcedid"])
    named = pa.array([names[0] if names else None for names in found], pa.string())
    courses = named.dictionary_encode().take(pa.array(places))
    for number, course in enumerate(courses.dictionary.to_pylist()):
        if len(noted[course]) < LEAST_LEARNERS:
            of_course = attempts["user_id"].filter(pc.equal(courses.indices, number))
            noted[course].update(filter(None, of_course.unique().to_pylist()))
    return courses


def _large(noted: _Learners) -> list[str]:
    """The courses with so many learners that they may be named."""
    return sorted(course for course, known in noted.items() if len(known) >= LEAST_LEARNERS)


def _attempt_types(table: pa.Table) -> pa.Array:
    """The attempt types of the rows that have a known one, read without case and outer blanks."""
    column = table["attempt_type"].combine_chunks()
    words = pc.utf8_lower(pc.utf8_trim_whitespace(column.dictionary))
    known = pc.if_else(pc.is_in(words, pa.array(ATTEMPT_TYPES)), words, None)
    return known.dictionary_encode().take(column.indices)


def _add(counts: dict[str, int], words: pa.Array | pa.ChunkedArray) -> None:
    for found in words.drop_null().value_counts().to_pylist():
        counts[found["values"]] = counts.get(found["values"], 0) + found["counts"]

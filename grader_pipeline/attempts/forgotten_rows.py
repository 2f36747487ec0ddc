"""Forgotten learners in a validated day: which rows are theirs, and the day without them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grader_pipeline.attempts.columns import COLUMNS, NAMES, TEXT
from grader_pipeline.attempts.forgotten import ForgottenLearners
from grader_pipeline.attempts.schema import Reason
from grader_pipeline.attempts.validated_file import FILE_SCHEMA, Tally, tables, tally_of, written

_TEXTS = [column.name for column in COLUMNS if column.kind == TEXT and not column.words]
_FORGOTTEN = [Reason.FORGOTTEN_LEARNER.value]
_DUPLICATE = [Reason.DUPLICATE_KEY.value]


@dataclass(frozen=True)
class TakenOut:
    """What was taken out of a validated day."""

    places: frozenset[int]
    """The positions of all elements that stand for forgotten ones."""
    attempts: list[dict[str, Any]]
    """The attempts taken out now, with their values of ``COLUMNS``."""
    new: int
    """Rows taken out now."""


def has_forgotten(file: pq.ParquetFile, forgotten: ForgottenLearners) -> bool:
    """Whether an attempt or a refused element of a validated day is a forgotten learner's."""
    return any(any(_theirs(table, forgotten)) for table in tables(file, FILE_SCHEMA.names))


def take_out(
    validated: pq.ParquetFile,
    file: Path,
    forgotten: ForgottenLearners,
    places: frozenset[int],
    body_sha256: str,
) -> TakenOut:
    """Write a validated day to ``file``, with refused elements in place of a forgotten learner's.

    Rows at ``places`` are theirs, too. ``body_sha256`` is the hash of the answer without them. The
    counts of the tally by course and by attempt type stay those of the validation.
    """
    tally = tally_of(validated)
    tally.body_sha256 = body_sha256
    attempts: list[dict[str, Any]] = []
    found: set[int] = set()
    new = 0
    with written(file, tally) as write:
        for table in tables(validated, FILE_SCHEMA.names):
            reasons, positions = table["reasons"].to_pylist(), table["position"].to_pylist()
            is_theirs = list(_theirs(table, forgotten))
            changed = [
                (theirs or position in places) and why != _FORGOTTEN
                for theirs, position, why in zip(is_theirs, positions, reasons, strict=True)
            ]
            mask = pa.array(changed, pa.bool_())
            taken = table.filter(mask)
            _count(tally, taken["reasons"].to_pylist())
            attempts += taken.filter(taken["reasons"].is_null()).select(NAMES).to_pylist()
            new += taken.num_rows
            found |= {
                position
                for position, why, is_new in zip(positions, reasons, changed, strict=True)
                if is_new or why == _FORGOTTEN
            }
            write(_without(table, mask, reasons, changed))
    return TakenOut(frozenset(found), attempts, new)


def _theirs(table: pa.Table, forgotten: ForgottenLearners) -> Iterator[bool]:
    """Of each row, whether it names a forgotten learner."""
    masks = []
    for name in _TEXTS:
        texts = table[name].unique().drop_null().to_pylist()
        named = pa.array([text for text in texts if forgotten.names(text)], pa.string())
        masks.append(pc.is_in(table[name], named).to_pylist())
    masks.append([bool(row) and forgotten.owns(row.encode()) for row in table["row"].to_pylist()])
    return map(any, zip(*masks, strict=True))


def _count(tally: Tally, reasons: list[list[str] | None]) -> None:
    tally.duplicates -= sum(why == _DUPLICATE for why in reasons)
    tally.rejected += sum(why is None or why == _DUPLICATE for why in reasons)
    tally.forgotten += len(reasons)
    counts = Counter(tally.reasons)
    counts.subtract(word for why in reasons for word in why or ())
    counts.update(_FORGOTTEN * len(reasons))
    tally.reasons = {word: number for word, number in counts.items() if number}


def _without(
    table: pa.Table, mask: pa.Array, reasons: list[list[str] | None], changed: list[bool]
) -> pa.Table:
    columns = [
        table["position"],
        *(pc.if_else(mask, pa.scalar(None, table[name].type), table[name]) for name in NAMES),
        pa.array(
            [_FORGOTTEN if new else why for why, new in zip(reasons, changed, strict=True)],
            FILE_SCHEMA.field("reasons").type,
        ),
        pc.if_else(mask, "", table["row"]),
    ]
    return pa.Table.from_arrays(columns, schema=FILE_SCHEMA)

"""The rollups: attempts summed up by learner, task and day. Reports read them.

``attempts/rollup.py`` sums a day up. The statements of ``sql/load`` store it, and bring up to date
what is remembered of all days. Their tables and columns are described in ``sql/schema``.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from grader_pipeline.attempts.rollup import DayRollup
from grader_pipeline.partitions import SchoolDay
from grader_pipeline.resources.learner_lists import excluded_learners
from grader_pipeline.resources.postgres import Connection, copy_in
from grader_pipeline.statements import statement

_STEPS = (
    "lock_rollups",
    "remember_engagements",
    "forget_engagement_day",
    "number_learners",
    "number_tasks",
    "keep_engagement_day",
    "forget_engagements",
    "roll_up_engagements",
    "note_rollup",
)

_EPOCH = 946_684_800_000_000
"""PostgreSQL counts time from 2000, Arrow from 1970. Microseconds."""

_SLICES = 4
"""Rows of ``sql/load/read_day.sql`` read at once."""

_ATTEMPT_TYPES = {"r": "run", "s": "submit"}
_VERDICTS = {"t": True, "f": False}


def has_rollup(db: Connection, day: SchoolDay) -> bool:
    """Whether the rollups have the day."""
    found = db.execute(statement("load/has_rollup"), day.parameters).fetchone() or {}
    return bool(found["answer"])


def roll_up(db: Connection, day: SchoolDay, rollup: DayRollup | None = None) -> None:
    """Make the rollups of a day anew.

    ``rollup`` has the attempts of the day, exactly those that the table ``grader`` holds. Without
    it they are read from there, in bounded memory. Excluded learners have none in a rollup.
    """
    if rollup is None:
        rollup = DayRollup(excluded_learners(db))
        for attempts in stored_attempts(db, day):
            rollup.add(attempts)
    db.execute(statement("load/stage_engagements"))
    copy_in(db, statement("load/copy_engagements"), [rollup.engagements()])
    # Other days wait from here on.
    for step in _STEPS:
        db.execute(statement(f"load/{step}"), {**day.parameters, "attempts": rollup.attempts})
    for table in db.execute(statement("load/outgrown_rollups")).fetchall():
        db.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table["name"])))


def stored_attempts(db: Connection, day: SchoolDay) -> Iterator[pa.Table]:
    """The day's attempts in the table ``grader``, in no order, with the columns of the rollup.

    Of the outcome URL only whether there is one.
    """
    with db.cursor("stored_attempts", binary=True) as slices:
        slices.itersize = _SLICES
        for found in slices.execute(statement("load/read_day"), day.parameters):
            times = np.frombuffer(found["times"], ">i8").astype("i8") + _EPOCH
            marks = np.frombuffer(found["marks"], "S1").astype("U1").reshape(-1, 3).T
            yield pa.table(
                {
                    "user_id": _texts(found["user_lengths"], found["users"]),
                    "lis_result_sourcedid": _texts(found["sourcedid_lengths"], found["sourcedids"]),
                    "lis_outcome_service_url": _decoded(marks[2], {"u": ""}),
                    "is_correct": _decoded(marks[1], _VERDICTS),
                    "attempt_type": _decoded(marks[0], _ATTEMPT_TYPES),
                    "created_at": times.view("M8[us]"),
                }
            )


def _texts(lengths: bytes, texts: bytes | None) -> pa.Array:
    """The texts that follow one another in ``texts``; null where the length is -1."""
    length = np.frombuffer(lengths, ">i4")
    offsets = np.zeros(len(length) + 1, "i4")
    np.cumsum(np.maximum(length, 0), out=offsets[1:])
    valid = np.packbits(length >= 0, bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(texts or b"")]
    return pa.Array.from_buffers(pa.string(), len(length), buffers)


def _decoded(letters: npt.NDArray[np.str_], values: Mapping[str, object]) -> pa.Array:
    """The value of each letter; null for others."""
    places = pc.index_in(pa.array(letters), pa.array(list(values)))
    return pa.array(list(values.values())).take(places)

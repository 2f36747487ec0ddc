"""The rollups: attempts summed up by learner, task and day. Reports read them.

``attempts/rollup.py`` sums a day up. The statements of ``sql/load`` store it, and bring up to date
what is remembered of all days. Their tables and columns are described in ``sql/schema``.
"""

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa
from psycopg import sql
from pyarrow import csv

from grader_pipeline.attempts.columns import COLUMNS
from grader_pipeline.attempts.rollup import DayRollup
from grader_pipeline.partitions import SchoolDay
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

_BATCH = 20_000
"""Stored attempts read at once."""

_TYPES = {column.name: column.kind.arrow for column in COLUMNS}
_READ = [
    "user_id", "lis_result_sourcedid", "lis_outcome_service_url", "is_correct", "attempt_type",
    "created_at",
]  # fmt: skip
"""The columns that ``sql/load/read_day.sql`` gives."""


def has_rollup(db: Connection, day: SchoolDay) -> bool:
    """Whether the rollups have the day."""
    found = db.execute(statement("load/has_rollup"), day.parameters).fetchone() or {}
    return bool(found["answer"])


def roll_up(db: Connection, day: SchoolDay, rollup: DayRollup | None = None) -> None:
    """Make the rollups of a day anew.

    ``rollup`` has the attempts of the day, exactly those that the table ``grader`` holds. Without
    it they are read from there, in bounded memory.
    """
    if rollup is None:
        rollup = DayRollup()
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
    """The day's attempts in the table ``grader``, in no order."""
    with db.cursor().copy(statement("load/read_day"), day.parameters) as rows:
        blocks = iter(rows)
        # PostgreSQL sends each row in a message of its own.
        while batch := b"".join(islice(blocks, _BATCH)):
            yield csv.read_csv(
                pa.BufferReader(batch),
                csv.ReadOptions(column_names=_READ, use_threads=False, block_size=len(batch) + 1),
                csv.ParseOptions(newlines_in_values=True),
                csv.ConvertOptions(
                    column_types=_TYPES,
                    null_values=[""],
                    true_values=["t"],
                    false_values=["f"],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )

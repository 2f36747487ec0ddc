"""The rollups: attempts summed up by learner, task and day. Reports read them.

``attempts/rollup.py`` sums a day up. The statements of ``sql/load`` store it, and bring up to date
what is remembered of all days. Their tables and columns are described in ``sql/schema``.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from grader_pipeline.attempts.rollup import DayRollup, Rollup
from grader_pipeline.partitions import SchoolDay
from grader_pipeline.resources.learner_lists import excluded_learners
from grader_pipeline.resources.postgres import Connection, copy_in
from grader_pipeline.statements import statement

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


def roll_up(db: Connection, day: SchoolDay, rollup: Rollup | None = None) -> None:
    """Make the rollups of a day anew.

    ``rollup`` is made of the attempts of the day, exactly those that the table ``grader`` holds.
    Without it they are read from there, in bounded memory. Excluded learners have none in a rollup.
    """
    if rollup is None:
        attempts = DayRollup(excluded_learners(db))
        for table in stored_attempts(db, day):
            attempts.add(table)
        rollup = attempts.summed_up()
    # Other days wait from here on.
    for step in ("lock_rollups", "remember_engagements", "forget_engagement_day"):
        db.execute(statement(f"load/{step}"), day.parameters)
    _keep(db, day, rollup)
    for step in ("forget_engagements", "roll_up_engagements", "note_rollup"):
        db.execute(statement(f"load/{step}"), {**day.parameters, "attempts": rollup.attempts})
    for table in db.execute(statement("load/outgrown_rollups")).fetchall():
        columns = sql.SQL(", ").join(map(sql.Identifier, table["columns"] or ()))
        part = sql.SQL("({})").format(columns) if table["columns"] else sql.SQL("")
        db.execute(sql.SQL("ANALYZE {} {}").format(sql.Identifier(table["name"]), part))


def _keep(db: Connection, day: SchoolDay, rollup: Rollup) -> None:
    """Store the day's rollup by numbers, and the engagements that are new.

    Learners, tasks and engagements keep the numbers that they have, and new ones get some.
    """
    courses, tasks = zip(*rollup.tasks, strict=True) if rollup.tasks else ((), ())
    learner_ids = _numbers(db, "learners", learners=rollup.learners)
    task_ids = _numbers(db, "tasks", courses=list(courses), tasks=list(tasks))
    of_day = rollup.engagements
    keys = {
        "learner": pa.array(learner_ids[of_day["learner"].to_numpy()]),
        "task": pa.array(task_ids[of_day["task"].to_numpy()]),
    }
    db.execute(statement("load/stage_engagements"))
    place = pa.array(np.arange(of_day.num_rows, dtype="i4"))
    copy_in(db, statement("load/copy_staged_engagements"), [pa.table({"place": place, **keys})])
    found = db.execute(statement("load/known_engagements")).fetchone() or {}
    engagement = np.zeros(of_day.num_rows, "i4")
    engagement[_integers(found["places"])] = _integers(found["ids"])
    is_new = engagement == 0
    new = db.execute(statement("load/new_engagements"), {"number": int(is_new.sum())}).fetchone()
    engagement[is_new] = _integers((new or {})["ids"])
    date = pa.repeat(day.date, of_day.num_rows)
    stored = pa.table(
        {"date": date, "id": engagement, **keys}
        | {name: of_day[name] for name in of_day.column_names if name not in keys}
    )
    copy_in(db, statement("load/copy_engagement_day"), [stored])
    copy_in(db, statement("load/copy_engagements"), [_met(stored.filter(pa.array(is_new)))])


def _met(new: pa.Table) -> pa.Table:
    """The engagements whose only day this is, with the dates of the day."""
    date = new["date"]
    never = pa.scalar(None, date.type)
    submitted, solved = pc.greater(new["submits"], 0), pc.greater(new["successes"], 0)
    ran_first = pc.less(new["first_run_at"], new["first_success_at"])
    clock = pc.subtract(new["first_success_clock"], new["first_run_clock"])
    return pa.table(
        {
            **{name: new[name] for name in ("id", "learner", "task", "date")},
            "first_submit_date": pc.if_else(submitted, date, never),
            "first_success_date": pc.if_else(solved, date, never),
            "runs_before_first_submit": pc.if_else(
                submitted, new["runs_before_first_submit"], pa.scalar(None, pa.int32())
            ),
            "submits_until_success": new["submits_until_success"],
            "time_until_success": pc.if_else(
                pc.fill_null(ran_first, False), clock, pa.scalar(None, clock.type)
            ),
            "first_submit_correct": new["first_submit_correct"],
        }
    )


def _numbers(db: Connection, of: str, **names: Sequence[str]) -> npt.NDArray[np.int32]:
    """The numbers of the day's learners or tasks, in the order of their names."""
    db.execute(statement(f"load/number_{of}"), names)
    found = db.execute(statement(f"load/numbers_of_{of}"), names).fetchone() or {}
    return _integers(found["numbers"])


def _integers(sent: bytes | None) -> npt.NDArray[np.int32]:
    """Integers as PostgreSQL sends them."""
    return np.frombuffer(sent or b"", ">i4").astype("i4")


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

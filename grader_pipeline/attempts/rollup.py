"""The rollup of a day: its attempts summed up by learner and task.

A row of it is an engagement of the day: one learner and one task. sql/schema/060_rollups.sql
explains its columns. Times are UTC. A clock is time at work since the day's first attempt on the
task.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from grader_pipeline.attempts.course_and_task import UNREAD, courses_and_tasks

LONGEST_PAUSE = 30 * 60 * 1_000_000
"""Microseconds. A longer pause is not work: it does not count on the clock."""

_RUN, _SUBMIT, _SUCCESS, _WRONG, _WITHOUT_URL = (1 << bit for bit in range(5))

_Array = npt.NDArray[Any]


_TASK_BITS = 32
_NUMBERED_AT_ONCE = 30_000
"""Attempts. The more at once, the less often a pair of learner and sourcedid is looked at."""
_SUMMED_UP_AT_ONCE = 100_000
"""Attempts, which need five times the memory then."""


@dataclass(frozen=True)
class Rollup:
    """The rollup of a day."""

    attempts: int
    """How many attempts it was made of, those of excluded learners too."""
    learners: Sequence[str]
    tasks: Sequence[tuple[str, str]]
    """Course and task."""
    engagements: pa.Table
    """A row for each learner and task. ``learner`` and ``task`` are places in the lists above."""


class DayRollup:
    """The attempts of a day so far, 17 bytes each.

    Those of ``excluded`` learners are counted, and have no engagements.

    Attempts come in any order, each only once. Their values may be any that the table ``grader``
    holds: an attempt of another attempt type is neither a run nor a submit.
    """

    def __init__(self, excluded: Collection[str] = ()) -> None:
        self.attempts = 0
        """How many attempts were added, excluded ones too."""
        self._excluded = pa.array(sorted(excluded), pa.string())
        self._learners: dict[str, int] = {}
        self._tasks: dict[tuple[str, str], int] = {}
        self._unnumbered: list[pa.Table] = []
        self._engagement = [np.empty(0, "i8")]
        self._time = [np.empty(0, "i8")]
        self._marks = [np.empty(0, "u1")]

    def adding(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The same tables, each added when it is taken."""
        for table in tables:
            self.add(table)
            yield table

    def add(self, attempts: pa.Table) -> None:
        """Add attempts. Columns beside those of an attempt are ignored."""
        self.attempts += attempts.num_rows
        if self._excluded:
            is_excluded = pc.is_in(attempts["user_id"], self._excluded)
            attempts = attempts.filter(pc.invert(is_excluded))
        self._unnumbered.append(attempts.select(["user_id", "lis_result_sourcedid"]))
        if sum(table.num_rows for table in self._unnumbered) >= _NUMBERED_AT_ONCE:
            self._number()
        self._time.append(attempts["created_at"].to_numpy().astype("M8[us]").view("i8"))
        is_submit = pc.equal(attempts["attempt_type"], "submit")
        marks = {
            _RUN: pc.equal(attempts["attempt_type"], "run"),
            _SUBMIT: is_submit,
            _SUCCESS: pc.and_(is_submit, attempts["is_correct"]),
            # A submit without verdict is a wrong one.
            _WRONG: pc.and_not(is_submit, pc.fill_null(attempts["is_correct"], False)),
            _WITHOUT_URL: attempts["lis_outcome_service_url"].is_null(),
        }
        # A value that is unknown in SQL counts as no.
        set_marks = [
            pc.fill_null(is_set, False).to_numpy() * np.uint8(mark)
            for mark, is_set in marks.items()
        ]
        self._marks.append(np.bitwise_or.reduce(set_marks))

    def summed_up(self) -> Rollup:
        """The rollup of the attempts that were added. Engagements of a learner are together."""
        self._number()
        columns = (self._engagement, self._time, self._marks)
        for parts in columns:
            parts[:] = [np.concatenate(parts)]
        order = np.lexsort((self._time[0], self._engagement[0]))
        for parts in columns:
            parts[:] = [parts[0][order]]
        del order
        (engagement,), (time,), (marks,) = columns
        starts = np.unique(np.searchsorted(engagement, engagement[::_SUMMED_UP_AT_ONCE]))
        slices = [slice(*ends) for ends in pairwise([*starts, len(time)])] or [slice(0)]
        tables = [_summed_up(engagement[part], time[part], marks[part]) for part in slices]
        return Rollup(self.attempts, [*self._learners], [*self._tasks], pa.concat_tables(tables))

    def _number(self) -> None:
        """Find the engagement of each attempt that has none yet: two numbers in one."""
        if not self._unnumbered:
            return
        attempts = pa.concat_tables(self._unnumbered)
        self._unnumbered.clear()
        learners = attempts["user_id"].combine_chunks().dictionary_encode()
        learner = [
            self._learners.setdefault(text, len(self._learners))
            for text in learners.dictionary.to_pylist()
        ]
        found, places = courses_and_tasks(learners, attempts["lis_result_sourcedid"])
        task = [self._tasks.setdefault(names or UNREAD, len(self._tasks)) for names in found]
        both = np.array(learner, "i8")[learners.indices] << _TASK_BITS
        self._engagement.append(both | np.array(task, "i8")[places])


def _summed_up(both: _Array, time: _Array, marks: _Array) -> pa.Table:
    """The rollup of some engagements, each with all of its attempts.

    ``both`` are learner and task. The attempts of an engagement are together, the oldest first.
    """
    first = np.flatnonzero(np.diff(both, prepend=-1))
    last = np.flatnonzero(np.diff(both, append=-1))
    # The place of its engagement, for each attempt.
    engagement = np.repeat(np.arange(len(first), dtype="i4"), last - first + 1)
    both = both[first]
    pause = np.diff(time, prepend=0)
    # The pause before an engagement's first attempt cancels out: its clock is subtracted.
    pause[pause > LONGEST_PAUSE] = 0
    clock = np.cumsum(pause)
    clock -= clock[first][engagement]
    has = {mark: (marks & mark) > 0 for mark in (_RUN, _SUBMIT, _SUCCESS, _WRONG, _WITHOUT_URL)}
    number = {
        mark: np.bincount(engagement[is_set], minlength=len(first)) for mark, is_set in has.items()
    }
    first_run, first_submit, first_success = (
        _first(engagement, has[mark], len(first)) for mark in (_RUN, _SUBMIT, _SUCCESS)
    )
    runs, submits = (_running(has[mark], first, engagement) for mark in (_RUN, _SUBMIT))
    integer = pa.int32()
    columns = {
        "learner": pa.array(both >> _TASK_BITS, integer),
        "task": pa.array(both & (1 << _TASK_BITS) - 1, integer),
        "runs": pa.array(number[_RUN], integer),
        "submits": pa.array(number[_SUBMIT], integer),
        "successes": pa.array(number[_SUCCESS], integer),
        "wrong_submits": pa.array(number[_WRONG], integer),
        "without_outcome_url": pa.array(number[_WITHOUT_URL], integer),
        "runs_before_first_submit": pa.array(
            np.where(first_submit >= 0, runs[first_submit], number[_RUN]), integer
        ),
        "submits_until_success": _at(first_success, submits, integer),
        "first_submit_correct": _at(first_submit, has[_SUCCESS], pa.bool_()),
        "first_at": _at(first, time.view("M8[us]")),
        "last_at": _at(last, time.view("M8[us]")),
        "first_run_at": _at(first_run, time.view("M8[us]")),
        "first_submit_at": _at(first_submit, time.view("M8[us]")),
        "first_success_at": _at(first_success, time.view("M8[us]")),
        "last_clock": _at(last, clock.view("m8[us]")),
        "first_run_clock": _at(first_run, clock.view("m8[us]")),
        "first_success_clock": _at(first_success, clock.view("m8[us]")),
    }
    return pa.table(columns)


def _first(engagement: _Array, is_set: _Array, engagements: int) -> _Array:
    """The place of each engagement's first attempt that ``is_set``; -1 if it has none."""
    places = np.flatnonzero(is_set)
    of = engagement[places]
    begins = np.diff(of, prepend=-1) > 0
    first = np.full(engagements, -1)
    first[of[begins]] = places[begins]
    return first


def _running(is_set: _Array, first: _Array, engagement: _Array) -> _Array:
    """How many attempts of the same engagement up to each one, that one included, are set."""
    counted: _Array = np.cumsum(is_set, dtype="i4")
    counted -= (counted - is_set)[first][engagement]
    return counted


def _at(places: _Array, values: _Array, kind: pa.DataType | None = None) -> pa.Array:
    """The values at ``places``; null at -1."""
    return pa.array(values[places], kind, mask=places < 0)

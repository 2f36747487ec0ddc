"""The rollup of a day: its attempts summed up by learner and task.

A row of it is an engagement of the day: one learner and one task. sql/schema/060_rollups.sql
explains its columns. Times are UTC. A clock is time at work since the day's first attempt on the
task.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from grader_pipeline.attempts.course_and_task import UNREAD, course_and_task, pairs

LONGEST_PAUSE = 30 * 60 * 1_000_000
"""Microseconds. A longer pause is not work: it does not count on the clock."""

_RUN, _SUBMIT, _SUCCESS, _WRONG, _WITHOUT_URL = (1 << bit for bit in range(5))

_Array = npt.NDArray[Any]


class DayRollup:
    """The attempts of a day so far: 13 bytes each, and each learner with a sourcedid once.

    Those of ``excluded`` learners are counted, and have no engagements.

    Attempts come in any order, each only once. Their values may be any that the table ``grader``
    holds: an attempt of another attempt type is neither a run nor a submit.
    """

    def __init__(self, excluded: Collection[str] = ()) -> None:
        self.attempts = 0
        """How many attempts were added, excluded ones too."""
        self._excluded = pa.array(sorted(excluded), pa.string())
        self._learners: dict[str, str] = {}
        self._pairs: dict[tuple[str, str | None], int] = {}
        self._pair = [np.empty(0, "i4")]
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
        self._pair.append(self._numbered(attempts["user_id"], attempts["lis_result_sourcedid"]))
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

    def _numbered(self, learners: pa.ChunkedArray, sourcedids: pa.ChunkedArray) -> _Array:
        """The number of each attempt's pair of learner and sourcedid."""
        texts, places = pairs(learners, sourcedids)
        known = self._learners
        numbers = [
            self._pairs.setdefault((known.setdefault(who, who), text), len(self._pairs))
            for who, text in texts
        ]
        of_pairs: _Array = np.array(numbers, "i4").take(places)
        return of_pairs

    def engagements(self) -> pa.Table:
        """The rollup: one row for each learner and task."""
        names, number_of_pair = self._named()
        engagement = number_of_pair[np.concatenate(self._pair)]
        time = np.concatenate(self._time)
        order = np.lexsort((time, engagement))
        return pa.table(
            {
                **dict(zip(("user_id", "course", "task"), names, strict=True)),
                **_summed_up(engagement[order], time[order], np.concatenate(self._marks)[order]),
            }
        )

    def _named(self) -> tuple[list[pa.Array], _Array]:
        """Learner, course and task of each engagement, and the engagement of each pair."""
        numbers: dict[tuple[str, tuple[str, str]], int] = {}
        number_of_pair = np.empty(len(self._pairs), "i4")
        for (learner, sourcedid), pair in self._pairs.items():
            names = (course_and_task(sourcedid, learner) if sourcedid else None) or UNREAD
            number_of_pair[pair] = numbers.setdefault((learner, names), len(numbers))
        columns = (
            (learner for learner, _ in numbers),
            (course for _, (course, _) in numbers),
            (task for _, (_, task) in numbers),
        )
        return [pa.array(column, pa.string()) for column in columns], number_of_pair


def _summed_up(engagement: _Array, time: _Array, marks: _Array) -> dict[str, pa.Array]:
    """The columns of the rollup after the names.

    The attempts of an engagement are together, the oldest first. Engagements are numbered from 0,
    so a number is also the place of the engagement's row.
    """
    first = np.flatnonzero(np.diff(engagement, prepend=-1))
    last = np.flatnonzero(np.diff(engagement, append=-1))
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
    return {
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

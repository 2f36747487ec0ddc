"""The rollup of a day, worked out by hand. ``reports/test_rollups.py`` compares it with SQL."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from grader_pipeline.attempts import rollup
from grader_pipeline.attempts.columns import COLUMNS
from grader_pipeline.attempts.course_and_task import UNREAD
from grader_pipeline.attempts.rollup import DayRollup
from grader_pipeline_tests.grader import learner

_SCHEMA = pa.schema([(column.name, column.kind.arrow) for column in COLUMNS])
_ANN = learner("ann")
_TASK = ("course-v1:S+A+1", "lab")


def attempt(time: str, kind: str | None, verdict: bool | None = None, **values: Any) -> Any:
    return {
        "user_id": _ANN,
        "lis_result_sourcedid": f"{_TASK[0]}:lms.example.org-{_TASK[1]}:{_ANN}",
        "is_correct": verdict,
        "attempt_type": kind,
        "created_at": moment(time),
        **values,
    }


def moment(time: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2023-05-31 {time}")


def rolled_up(*attempts: Any) -> list[dict[str, Any]]:
    rollup = DayRollup()
    for row in attempts:
        rollup.add(pa.Table.from_pylist([row], _SCHEMA))
    assert rollup.summed_up().attempts == len(attempts)
    return named(rollup)


def named(rollup: DayRollup) -> list[dict[str, Any]]:
    found = rollup.summed_up()
    return [
        {
            "user_id": found.learners[row.pop("learner")],
            **dict(zip(("course", "task"), found.tasks[row.pop("task")], strict=True)),
            **row,
        }
        for row in found.engagements.to_pylist()
    ]


def test_the_attempts_of_a_learner_and_a_task_are_one_row_in_whatever_order_they_come() -> None:
    day = [
        attempt("09:00:00", "run"),
        attempt("09:10:00", "submit", False, lis_outcome_service_url="https://lms"),
        attempt("09:40:00", "run"),
        # The longest pause that counts was 30 minutes. The next one is longer.
        attempt("10:10:00.000001", "submit"),
        attempt("10:11:00.000001", "submit", True),
        attempt("10:12:00.000001", "submit", True),
    ]
    (row,) = rolled_up(*day)
    assert rolled_up(*reversed(day)) == [row]
    assert row == {
        "user_id": _ANN,
        "course": _TASK[0],
        "task": _TASK[1],
        "runs": 2,
        "submits": 4,
        "successes": 2,
        "wrong_submits": 2,  # one without verdict
        "without_outcome_url": 5,
        "runs_before_first_submit": 1,
        "submits_until_success": 3,
        "first_submit_correct": False,
        "first_at": moment("09:00:00"),
        "last_at": moment("10:12:00.000001"),
        "first_run_at": moment("09:00:00"),
        "first_submit_at": moment("09:10:00"),
        "first_success_at": moment("10:11:00.000001"),
        "last_clock": dt.timedelta(minutes=42),
        "first_run_clock": dt.timedelta(),
        "first_success_clock": dt.timedelta(minutes=41),
    }


def test_a_day_of_no_attempt_or_of_one_is_rolled_up_too() -> None:
    assert rolled_up() == []
    (row,) = rolled_up(attempt("09:00:00", "run"))
    assert (row["runs"], row["runs_before_first_submit"], row["first_submit_at"]) == (1, 1, None)


def test_each_learner_and_task_is_counted_by_itself() -> None:
    bob = learner("bob")
    of_bob = {
        "user_id": bob, "lis_result_sourcedid": f"{_TASK[0]}:lms.example.org-{_TASK[1]}:{bob}"
    }  # fmt: skip
    found = rolled_up(
        # Ann begins with a submit that is right, and runs and submits afterwards.
        attempt("09:00:00", "submit", True),
        attempt("09:01:00", "run"),
        attempt("09:02:00", "submit", False),
        # Bob's first attempts are three runs and three wrong submits. The third one has no verdict.
        attempt("10:00:00", "run", **of_bob),
        attempt("10:01:00", "submit", False, **of_bob),
        attempt("10:02:00", "run", **of_bob),
        attempt("10:03:00", "submit", False, **of_bob),
        attempt("10:04:00", "submit", **of_bob),
        attempt("10:05:00", "submit", True, **of_bob),
        # His other task.
        attempt("08:00:00", "submit", False, user_id=bob, lis_result_sourcedid=None),
        attempt("08:10:00", "run", user_id=bob, lis_result_sourcedid=None),
    )
    names = ("user_id", "task", "runs", "submits", "successes", "wrong_submits",
             "runs_before_first_submit", "submits_until_success", "first_submit_correct",
             "last_clock", "first_success_clock")  # fmt: skip
    minutes = [dt.timedelta(minutes=number) for number in range(11)]
    assert [tuple(row[name] for name in names) for row in found] == [
        (_ANN, _TASK[1], 1, 2, 1, 1, 0, 1, True, minutes[2], minutes[0]),
        (bob, _TASK[1], 2, 4, 1, 3, 1, 4, False, minutes[5], minutes[5]),
        (bob, UNREAD[1], 1, 1, 0, 1, 0, None, False, minutes[10], None),
    ]
    assert [(row["first_run_at"], row["first_success_at"]) for row in found] == [
        (moment("09:01:00"), moment("09:00:00")),
        (moment("10:00:00"), moment("10:05:00")),
        (moment("08:10:00"), None),
    ]


def test_excluded_learners_are_counted_and_not_rolled_up() -> None:
    table = pa.Table.from_pylist(
        [attempt("09:00:00", "run"), attempt("09:01:00", "run", user_id="bob")], _SCHEMA
    )
    rollup = DayRollup(excluded=[_ANN, "nobody"])
    rollup.add(table)
    assert rollup.summed_up().attempts == 2
    assert [row["user_id"] for row in named(rollup)] == ["bob"]


def test_an_attempt_that_is_neither_run_nor_submit_only_takes_time() -> None:
    (row,) = rolled_up(
        attempt("09:00:00", None, True), attempt("09:01:00", "RUN"), attempt("09:02:00", "other")
    )
    counts = ("runs", "submits", "successes", "wrong_submits", "runs_before_first_submit")
    assert {row[name] for name in counts} == {0}
    assert (row["without_outcome_url"], row["last_clock"]) == (3, dt.timedelta(minutes=2))
    never = ("submits_until_success", "first_submit_correct", "first_run_at", "first_run_clock")
    assert {row[name] for name in never} == {None}


def test_all_that_cannot_be_read_of_a_learner_is_one_task() -> None:
    texts = (None, "", "a", f"{_TASK[0]}:lms.example.org-:{_ANN}")
    found = rolled_up(
        *(attempt(f"09:0{n}:00", "run", lis_result_sourcedid=text) for n, text in enumerate(texts)),
        attempt("10:00:00", "run"),
    )
    assert {(row["course"], row["task"]): row["runs"] for row in found} == {UNREAD: 4, _TASK: 1}


def test_both_spellings_of_a_task_are_one_row() -> None:
    encoded = f"course-v1%3AS%2BA%2B1:lms.example.org-{_TASK[1]}:{_ANN}"
    (row,) = rolled_up(
        attempt("09:00:00", "run"), attempt("09:01:00", "run", lis_result_sourcedid=encoded)
    )
    assert (row["course"], row["task"], row["runs"]) == (*_TASK, 2)


def test_a_table_of_several_chunks_or_of_none_is_as_good_as_another() -> None:
    whole = pa.Table.from_pylist([attempt(f"09:0{n}:00", "run") for n in range(4)], _SCHEMA)
    none = pa.table({name: pa.chunked_array([], whole[name].type) for name in whole.column_names})
    cut = DayRollup()
    for table in (none, pa.concat_tables([whole[:1], whole[1:3]]), none, whole[3:]):
        cut.add(table)
    at_once = DayRollup()
    at_once.add(whole)
    assert cut.summed_up() == at_once.summed_up()


def test_a_table_that_goes_through_is_passed_on_and_added_when_it_is_taken() -> None:
    tables = [pa.Table.from_pylist([attempt(f"09:0{n}:00", "run")], _SCHEMA) for n in range(3)]
    rollup = DayRollup()
    for count, table in enumerate(rollup.adding(tables), start=1):
        assert table is tables[count - 1]
        assert rollup.attempts == count
    assert named(rollup) == rolled_up(*(attempt(f"09:0{n}:00", "run") for n in range(3)))


def test_a_day_that_is_summed_up_in_parts_has_the_same_rollup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = [
        attempt(f"09:{minute:02}:00", "run", user_id=learner(minute % 7),
                lis_result_sourcedid=f"{_TASK[0]}:lms.example.org-t{minute % 5}:x")
        for minute in range(60)
    ]  # fmt: skip
    expected = rolled_up(*day)
    monkeypatch.setattr(rollup, "_SUMMED_UP_AT_ONCE", 3)
    assert rolled_up(*day) == expected
    assert len(expected) == 35

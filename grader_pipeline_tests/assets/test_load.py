"""What loading a day leaves in the table, whoever else writes there at the same time."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from grader_pipeline.attempts.columns import COLUMNS, PASSBACK
from grader_pipeline_tests.assets.conftest import Run
from grader_pipeline_tests.grader import Grader, attempt, learner, rows

DAY = "2023-05-31"
NIGHT = "2023-05-31 01:00:00"
TO_THE_TABLE = ["raw_attempts", "validated_attempts", "grader_table"]
Query = Callable[..., list[tuple[Any, ...]]]
TEXTS = [
    "00123", "1e5", "NULL", "\\N", "\\.", " padded\t", "O'Neil \"quoted\", `ticks`",
    "back\\slash \\n", "line\nbreak\r\n", "\x01\x1f\x7f\u2028\ufeff", "e\u0301 is not é",
    "Ученик 😀 \U0010ffff", "=1+1",
]  # fmt: skip


def moment(number: int) -> str:
    return f"2023-05-31 09:{number // 60:02}:{number % 60:02}"


def attempts(number: int) -> list[dict[str, Any]]:
    return [attempt(moment(n), learner(n)) for n in range(number)]


def ledger(query: Query) -> tuple[Any, ...]:
    (line,) = query("SELECT received, loaded, already_there, differing, updated FROM grader_load")
    return line


def store(db: psycopg.Connection, created_at: str, user: str) -> None:
    """Store an attempt as another program does."""
    db.execute(
        "INSERT INTO grader (user_id, created_at, lis_result_sourcedid) VALUES (%s, %s, 'other')",
        [user, created_at],
    )


@contextmanager
def another_program(database_url: str) -> Iterator[psycopg.Connection]:
    """A transaction of somebody else, which commits when a session waits for it."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"

    def commit_when_waited_for() -> None:
        with psycopg.connect(database_url, autocommit=True) as db:
            until = time.monotonic() + 60
            while db.execute(waiting).fetchone() == (0,):
                assert time.monotonic() < until, "nobody waits"
                time.sleep(0.01)
        other.commit()

    with psycopg.connect(database_url) as other, ThreadPoolExecutor(1) as pool:
        yield other
        pool.submit(commit_when_waited_for).result()


def during(database_url: str, run: Callable[[], Any], *stored: tuple[str, str]) -> Any:
    """Run while another transaction has stored attempts, and commits when the run waits for it."""
    with ThreadPoolExecutor(1) as pool, another_program(database_url) as other:
        for created_at, user in stored:
            store(other, created_at, user)
        result = pool.submit(run)
    return result.result()


@pytest.mark.parametrize("is_new", [True, False], ids=["new day", "stored day"])
@pytest.mark.parametrize("on_conflict", ["nothing", "update"])
def test_an_attempt_that_another_program_stores_meanwhile_is_counted_as_already_there(
    run_day: Run, grader: Grader, query: Query, database_url: str, is_new: bool, on_conflict: str
) -> None:
    grader.answer = rows(attempts(9))
    assert run_day(DAY, selection=TO_THE_TABLE).success
    with psycopg.connect(database_url) as db:
        db.execute("DELETE FROM grader WHERE id > %s", [0 if is_new else 3])
    kept = 0 if is_new else 3
    config = {"ops": {"grader_table": {"config": {"on_conflict": on_conflict}}}}

    def run() -> Any:
        return run_day(DAY, selection=TO_THE_TABLE, config=config)

    # One attempt that the answer has too, and one that it lacks.
    result = during(database_url, run, (moment(5), learner(5)), (NIGHT, learner("night")))
    assert result.success
    updated = on_conflict == "update"
    assert ledger(query) == (9, 8 - kept, 1 + kept, int(not updated), int(updated))
    found = query("SELECT user_id, lis_result_sourcedid = 'other' FROM grader ORDER BY created_at")
    assert [user for user, _ in found] == [learner("night"), *map(learner, range(9))]
    assert [who for who, is_other in found if is_other] == [
        learner("night"), *([] if updated else [learner(5)])
    ]  # fmt: skip
    assert query("SELECT attempts FROM rollup_day") == [(10,)]
    assert query("SELECT sum(runs) FROM engagement_day") == [(9 if updated else 8,)]


def test_what_another_program_adds_to_a_new_day_is_in_the_rollup_or_marked(
    run_day: Run, grader: Grader, query: Query, database_url: str
) -> None:
    grader.answer = rows(attempts(3))
    with psycopg.connect(database_url) as other:
        assert run_day("2023-05-30", selection=TO_THE_TABLE).success is False  # makes the schema
        store(other, NIGHT, learner("night"))
        # Nobody waits for the other: its attempt has another key.
        assert run_day(DAY, selection=TO_THE_TABLE).success
    assert query("SELECT attempts FROM rollup_day") == [(3,)]
    assert query("SELECT count(*) FROM changed_day WHERE report_date = %s", DAY) == [(1,)]
    assert run_day(DAY, selection=TO_THE_TABLE).success
    assert query("SELECT attempts FROM rollup_day") == [(4,)]
    assert query("SELECT count(*) FROM changed_day") == [(0,)]


def test_ids_grow_in_the_order_received_and_a_second_run_uses_none(
    run_day: Run, grader: Grader, query: Query
) -> None:
    received = attempts(9)[::-1]
    grader.answer = rows(received)
    for _ in range(2):
        assert run_day(DAY, selection=TO_THE_TABLE).success
    grader.answer = rows([*received, attempt(NIGHT, learner("night"))])
    assert run_day(DAY, selection=TO_THE_TABLE).success
    users = [element["lti_user_id"] for element in [*received, attempt(NIGHT, learner("night"))]]
    found = query("SELECT id, user_id FROM grader ORDER BY id")
    assert found == list(enumerate(users, start=1))
    assert ledger(query) == (10, 1, 9, 0, 0)


@pytest.mark.parametrize("is_new", [True, False], ids=["new day", "stored day"])
def test_every_text_is_stored_byte_for_byte(
    run_day: Run, grader: Grader, query: Query, database_url: str, is_new: bool
) -> None:
    names = [column.name for column in COLUMNS if column.field == PASSBACK]
    grader.answer = rows(
        [
            attempt(moment(n), text, passback_params=repr(dict.fromkeys(names, text)))
            for n, text in enumerate(TEXTS)
        ]
    )
    if not is_new:
        grader.answer, later = rows(attempts(1)), grader.answer
        assert run_day(DAY, selection=TO_THE_TABLE).success
        grader.answer = later
    assert run_day(DAY, selection=TO_THE_TABLE).success
    columns = ", ".join(["user_id", *names])
    found = query(f"SELECT {columns} FROM grader WHERE id > %s ORDER BY id", 0 if is_new else 1)
    assert found == [(text,) * (1 + len(names)) for text in TEXTS]
    # The rollup is made of the file for a new day, and of the table for a stored one.
    learners = query('SELECT user_id FROM learner ORDER BY user_id COLLATE "C"')
    expected = {*TEXTS, *(() if is_new else (learner(0),))}
    assert [who for (who,) in learners] == sorted(expected, key=str.encode)

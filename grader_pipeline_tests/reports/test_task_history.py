"""What is kept of tasks from day to day is what all stored days give, whatever happened."""

import datetime as dt
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from grader_pipeline.learners.forget import forget
from grader_pipeline.partitions import window
from grader_pipeline.reports.tables import store_reports
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement
from grader_pipeline_tests.grader import learner
from grader_pipeline_tests.reports.conftest import REPORTS, School
from grader_pipeline_tests.reports.school_days import DAY, OK, RUN, WRONG, X, Y, at
from grader_pipeline_tests.reports.twin import Attempt

DAYS = 45  # the tables of the 28 days do not reach all of them


def drawn(dice: random.Random, back: int) -> list[Attempt]:
    """Attempts of a day: learners come back to tasks after days and weeks."""
    return [
        at(f"{dice.randrange(8, 20):02}:{dice.randrange(60):02}", f"u{dice.randrange(12)}",
           dice.choice((RUN, RUN, WRONG, OK)), dice.choice((X, Y, "c" * 32)), back=back)
        for _ in range(dice.randrange(9))
    ]  # fmt: skip


def prepare(db: Connection, day: dt.date) -> dict[int, dict[str, Any]]:
    """The day's table, with lists in order: the task's number -> its row."""
    db.execute(statement("report_tables/prepare"), {"day": day})
    found = {}
    for row in db.execute("SELECT * FROM task_all_time").fetchall():
        lists = {name: sorted(cell) for name, cell in row.items() if isinstance(cell, list)}
        found[row["task"]] = row | lists
    return found


@contextmanager
def nothing_kept(db: Connection) -> Iterator[None]:
    with db.transaction(force_rollback=True):
        db.execute("DELETE FROM task_history")
        yield


def kept_until(school: School) -> dt.date | None:
    (row,) = school.ask("SELECT max(until) AS day FROM task_history")
    day: dt.date | None = row["day"]
    return day


def test_a_days_history_is_the_same_with_what_was_kept_and_without(school: School) -> None:
    dice = random.Random(0)
    loaded = []
    for back in dice.sample(range(DAYS), DAYS // 3):
        school.load(DAY - dt.timedelta(days=back), drawn(dice, back))
        loaded.append(back)
        if dice.random() < 0.3:  # a stored day changes: attempts deleted by hand, or new ones sent
            changed = dice.choice(loaded)
            day = DAY - dt.timedelta(days=changed)
            if dice.random() < 0.5:
                about = window(day)
                school.ask(
                    "DELETE FROM grader WHERE created_at >= %s AND created_at < %s"
                    " AND is_correct RETURNING id", about.start.replace(tzinfo=None),
                    about.end.replace(tzinfo=None),
                )  # fmt: skip
            school.load(day, drawn(dice, changed))
        for asked in sorted(dice.sample(range(DAYS), 3), reverse=dice.random() < 0.7):
            day = DAY - dt.timedelta(days=asked)
            with school.postgres.transaction() as db:
                with nothing_kept(db):
                    expected = prepare(db, day)
                assert prepare(db, day) == expected


def test_history_kept_longer_ago_than_the_28_days_is_not_used(school: School) -> None:
    for back, name in ((41, "ann"), (28, "bob"), (27, "cat"), (0, "dan")):
        school.load(DAY - dt.timedelta(days=back), [at("09:00", name, OK, back=back)])
    for back in (1, 27, 28, 29, 40):
        with school.postgres.transaction() as db:
            prepare(db, DAY - dt.timedelta(days=back))
        with school.postgres.transaction() as db:
            assert [row["learners"] for row in prepare(db, DAY).values()] == [4]
        assert kept_until(school) == DAY


def test_the_next_days_history_is_made_of_what_was_kept(school: School) -> None:
    for back in (1, 0):
        day = DAY - dt.timedelta(days=back)
        school.load(day, [at("09:00", "ann", WRONG, back=back), at("10:00", "bob", OK, back=back)])
        store_reports(school.postgres, [REPORTS["tasks"]], window(day))
        assert kept_until(school) == day
    # Nobody else changes the table. A count that is wrong there shows that it was read.
    school.ask("UPDATE task_history SET learners = 70 RETURNING task")
    with school.postgres.transaction() as db:
        assert [row["learners"] for row in prepare(db, DAY).values()] == [70]
    school.load(DAY, [at("11:00", "cat", OK)])
    with school.postgres.transaction() as db:
        assert [row["learners"] for row in prepare(db, DAY).values()] == [3]


def test_whoever_may_not_keep_history_gets_the_same_and_keeps_nothing(
    school: School, database_url: str
) -> None:
    school.load(DAY, [at("09:00", "ann", WRONG), at("10:00", "bob", OK)])
    with school.postgres.transaction() as db:
        expected = prepare(db, DAY)
        db.execute("DELETE FROM task_history")
        # A second session, while the first one holds the history; and a role that may only read.
        with psycopg.connect(database_url) as other:
            other.execute("SELECT prepare_reports(%s)", [DAY])
            assert other.execute("SELECT learners FROM task_all_time").fetchall() == [(2,)]
    assert kept_until(school) is None
    with school.postgres.transaction() as db, db.transaction(force_rollback=True):
        db.execute("CREATE ROLE only_looks")
        db.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO only_looks")
        db.execute("SET LOCAL ROLE only_looks")
        assert prepare(db, DAY) == expected
    assert kept_until(school) is None


def test_what_is_kept_of_tasks_does_not_outlive_a_learner_who_is_forgotten(school: School) -> None:
    """It has the numbers of few learners, and their times."""
    school.load(DAY, [at("09:00", "ann", WRONG), at("10:00", "bob", OK)])
    with school.postgres.transaction() as db:
        prepare(db, DAY)
    assert kept_until(school) == DAY
    forget(school.postgres, learner("ann"), lambda *_: None)
    assert kept_until(school) is None
    with school.postgres.transaction() as db:
        assert [row["learners"] for row in prepare(db, DAY).values()] == [1]


def test_history_costs_no_wal_and_is_empty_after_a_crash(school: School) -> None:
    persistence = "SELECT relpersistence::text AS it FROM pg_class WHERE relname = 'task_history'"
    assert school.ask(persistence) == [{"it": "u"}]

"""What a session asks of the server, and what it does to other sessions."""

import os
import signal
from collections.abc import Callable, Iterator

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from grader_pipeline.failures import TransientFailure
from grader_pipeline.resources import migrations
from grader_pipeline.resources.postgres import Postgres, copy_in
from grader_pipeline_tests.waiting import eventually


@pytest.fixture
def postgres(database_url: str) -> Iterator[Postgres]:
    postgres = Postgres()
    yield postgres
    postgres.close()


def set_for_new_sessions(database_url: str, setting: str, value: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                sql.Identifier(db.info.dbname), sql.Identifier(setting), value
            )
        )


@pytest.mark.parametrize(("of_server", "of_session"), [("4MB", "64MB"), ("256MB", "256MB")])
def test_a_session_takes_no_memory_from_a_server_that_gives_more(
    database_url: str, postgres: Postgres, of_server: str, of_session: str
) -> None:
    set_for_new_sessions(database_url, "work_mem", of_server)
    with postgres.transaction() as db:
        assert db.execute("SHOW work_mem").fetchone() == {"work_mem": of_session}


def test_a_session_begins_without_waiting_for_those_that_write(
    database_url: str, postgres: Postgres
) -> None:
    """Two that wait for each other would cost one of them its work."""
    set_for_new_sessions(database_url, "lock_timeout", "1s")
    with postgres.transaction() as db:
        for name in migrations.relations():
            db.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(sql.Identifier(name)))
        another = Postgres()
        with another.transaction() as other:
            assert other.execute("SELECT count(*) AS days FROM grader_load").fetchone()
        another.close()


def test_a_session_that_could_not_begin_is_no_half_session_afterwards(
    database_url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.transaction() as db:
        db.execute("SELECT FROM engagement_day")
    number = migrations.migrations()[-1].number + 1
    change = "CREATE TABLE of_next (); ALTER TABLE engagement_day ADD COLUMN of_next integer"
    following = migrations.Migration(number, f"{number}_next.sql", change)
    known = (*migrations.migrations(), following)
    monkeypatch.setattr(migrations, "migrations", lambda: known)
    set_for_new_sessions(database_url, "lock_timeout", "1s")
    another = Postgres()
    with psycopg.connect(database_url) as busy:
        busy.execute("LOCK TABLE engagement_day IN ROW EXCLUSIVE MODE")
        with pytest.raises(TransientFailure, match="gave up"), another.transaction():
            pass
    with postgres.transaction() as db:
        assert migrations.pending(db) == [following]
    with another.transaction() as db:
        db.execute("SELECT engagement_day.of_next FROM engagement_day, of_next")
        assert migrations.pending(db) == []
    another.close()


class Interrupted(BaseException):
    """What a signal raises: as Dagster's cancel and the commands' Ctrl+C, no Exception."""


def _query(postgres: Postgres) -> None:
    with postgres.transaction() as db:
        db.execute("SELECT pg_sleep(60)")


def _savepoint(postgres: Postgres) -> None:
    with postgres.transaction() as db, db.transaction():
        db.execute("SELECT pg_sleep(60)")


def _commit(postgres: Postgres) -> None:
    with postgres.transaction() as db:
        db.execute(
            "CREATE FUNCTION pg_temp.sleep() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'"
        )
        db.execute("CREATE TEMPORARY TABLE slow (number integer)")
        db.execute(
            "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION pg_temp.sleep()"
        )
        db.execute("INSERT INTO slow VALUES (1)")


def _begin(postgres: Postgres) -> None:
    with postgres.transaction() as db:
        backend = db.info.backend_pid
    os.kill(backend, signal.SIGSTOP)
    try:
        with postgres.transaction():
            pass
    finally:
        os.kill(backend, signal.SIGCONT)


@pytest.mark.parametrize("amid", [_query, _savepoint, _commit, _begin])
def test_a_signal_amid_a_query_ends_the_query_frees_the_locks_and_is_what_is_raised(
    database_url: str, amid: Callable[[Postgres], None], caplog: pytest.LogCaptureFixture
) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted

    postgres = Postgres()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(Interrupted), postgres.alone("work"):
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            amid(postgres)
    finally:
        signal.signal(signal.SIGALRM, before)
    queries = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    with psycopg.connect(database_url) as other:
        assert eventually(lambda: other.execute(queries).fetchone() == (0,), 10)
        assert eventually(lambda: other.execute(locks).fetchone() == (0,), 10)
    assert "psycopg" not in caplog.text
    with postgres.transaction() as db:
        assert db.execute("SELECT 1 AS one").fetchone() == {"one": 1}
    postgres.close()


@pytest.mark.parametrize("tables", [0, 1, 2])
def test_what_is_copied_in_is_what_the_tables_hold(postgres: Postgres, tables: int) -> None:
    words = [["wrong_type", 'a "b", \\c'], [], None]
    table = pa.table(
        {
            "number": pa.array([1, None, -3], pa.int32()),
            "text": ["00123", "", None],
            "words": pa.array(words, pa.list_(pa.string())),
        }
    )
    copy = b"COPY copied FROM STDIN (FORMAT binary)"
    with postgres.transaction() as db:
        db.execute("CREATE TEMPORARY TABLE copied (number integer, text text, words text[])")
        assert copy_in(db, copy, [table] * tables) == 3 * tables
        assert db.execute("SELECT * FROM copied").fetchall() == table.to_pylist() * tables

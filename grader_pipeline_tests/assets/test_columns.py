"""The columns of an attempt are those of the one definition, wherever a day passes."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import psycopg
import pytest

from grader_pipeline.assets.step2_validated_attempts import validated_attempts
from grader_pipeline.assets.step3_grader_table import grader_table, load_statement
from grader_pipeline.attempts.columns import COLUMNS, KEY, TEXT, VERDICT
from grader_pipeline.attempts.validated_file import FILE_SCHEMA
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline_tests.assets.conftest import Run
from grader_pipeline_tests.grader import Grader, attempt, rows

DAY = "2023-05-31"


@pytest.fixture
def db(database_url: str) -> Iterator[Connection]:
    postgres = Postgres()
    with postgres.transaction() as db:
        yield db
    postgres.close()


def columns_of(db: Connection, table: str) -> list[tuple[str, str]]:
    found = db.execute(
        "SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [table],
    )
    return [(row["name"], row["type"]) for row in found]


def defined(db: Connection) -> list[tuple[str, str]]:
    """The columns of the definition, types as PostgreSQL prints them."""
    columns = ", ".join(f"{column.name} {column.postgres_type}" for column in COLUMNS)
    db.execute(f"CREATE TEMPORARY TABLE defined ({columns}) ON COMMIT DROP".encode())
    return columns_of(db, "defined")


def shown(asset: dg.AssetsDefinition) -> list[tuple[str, str]]:
    schema = asset.metadata_by_key[asset.key]["dagster/column_schema"]
    return [(column.name, column.type) for column in schema.columns]


def test_the_table_has_the_columns_and_the_key_of_the_definition(db: Connection) -> None:
    assert columns_of(db, "grader") == [("id", "integer"), *defined(db)]
    keys = db.execute(
        "SELECT pg_get_constraintdef(oid) AS key FROM pg_constraint"
        " WHERE conrelid = 'grader'::regclass AND contype = 'u'"
    )
    assert [row["key"] for row in keys] == [f"UNIQUE ({', '.join(KEY)})"]


def test_staging_has_the_columns_of_the_definition(db: Connection) -> None:
    db.execute(load_statement("stage_attempts"))
    assert columns_of(db, "staged_attempts") == [("position", "integer"), *defined(db)]


def test_the_ui_shows_the_columns_of_the_file_and_of_the_table(db: Connection) -> None:
    assert [name for name, _ in shown(validated_attempts)] == FILE_SCHEMA.names
    table = [(name, kind) for name, kind in shown(grader_table) if name != "id"]
    assert table == [(column.name, column.postgres_type) for column in COLUMNS]


def test_each_column_beside_the_key_is_compared_with_its_twin_and_updated(
    run_day: Run, grader: Grader, query: Callable[..., list[tuple[Any, ...]]], database_url: str
) -> None:
    others = [column for column in COLUMNS if column.name not in KEY]
    another_value = {TEXT: "'x'", VERDICT: "false"}
    submits = [attempt(f"2023-05-31 09:00:0{n}", verdict=1) for n, _ in enumerate(others)]
    grader.answer = rows(submits)
    assert run_day(DAY).success
    before = query("SELECT * FROM grader ORDER BY id")
    with psycopg.connect(database_url) as db:
        for row, column in zip(before, others, strict=True):
            change = f"UPDATE grader SET {column.name} = {another_value[column.kind]} WHERE id = %s"
            db.execute(change.encode(), [row[0]])
    update = {"ops": {"grader_table": {"config": {"on_conflict": "update"}}}}
    assert run_day(DAY, config=update).success
    assert query("SELECT updated, differing FROM grader_load") == [(len(others), 0)]
    assert query("SELECT * FROM grader ORDER BY id") == before

"""Dagster's tables share the database of the data, in their own schema."""

import psycopg
import sqlalchemy
from psycopg.conninfo import make_conninfo

from grader_pipeline.local.dagster_home import instance_url


def test_dagsters_tables_go_to_a_schema_of_their_own(postgres_18: str) -> None:
    with psycopg.connect(postgres_18, autocommit=True) as db:
        db.execute("CREATE SCHEMA IF NOT EXISTS dagster")
    with sqlalchemy.create_engine(instance_url(postgres_18)).connect() as connection:
        answer = connection.execute(sqlalchemy.text("SELECT current_schema()"))
        assert answer.scalar() == "dagster"


def test_a_database_url_keeps_its_odd_characters_on_the_way_to_dagster() -> None:
    given = make_conninfo(
        host="db.example.org", port=5433, user="u@x", password="p:/?#[]@ %ü", dbname="a b",
        sslmode="require", options="-c work_mem=8MB",
    )  # fmt: skip
    url = sqlalchemy.make_url(instance_url(given))
    assert (url.username, url.password, url.database) == ("u@x", "p:/?#[]@ %ü", "a b")
    assert dict(url.query) == {
        "host": "db.example.org",
        "port": "5433",
        "sslmode": "require",
        "options": "-c work_mem=8MB -csearch_path=dagster",
    }

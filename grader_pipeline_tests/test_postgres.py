"""What a session of ours asks of the server."""

import psycopg
import pytest

from grader_pipeline.resources.postgres import Postgres


@pytest.mark.parametrize(("of_server", "of_session"), [("4MB", "64MB"), ("256MB", "256MB")])
def test_a_session_takes_no_memory_from_a_server_that_gives_more(
    database_url: str, of_server: str, of_session: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(
            psycopg.sql.SQL("ALTER DATABASE {} SET work_mem = {}").format(
                psycopg.sql.Identifier(db.info.dbname), of_server
            )
        )
    postgres = Postgres()
    with postgres.transaction() as db:
        assert db.execute("SHOW work_mem").fetchone() == {"work_mem": of_session}
    postgres.close()

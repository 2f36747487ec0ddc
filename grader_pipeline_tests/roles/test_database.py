"""The launcher's connections say why they failed, and never the password."""

import time

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from grader_pipeline.roles.database import (
    connected,
    require_connections,
    wait_for_server,
)
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.instance import connections_needed
from grader_pipeline.settings import Settings

NEEDED = connections_needed(Settings())


def test_a_database_that_is_down_is_named_by_its_cause_in_one_line() -> None:
    with (
        pytest.raises(LauncherError) as refused,
        connected("postgresql://me:s3cret-pass@127.0.0.1:1/grader"),
    ):
        pass
    assert str(refused.value).endswith("Connection refused")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("limited", ["DATABASE", "ROLE"])
def test_a_database_without_connections_for_the_pipeline_is_named_with_what_it_lacks(
    database_url: str, limited: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as admin:
        database, role = admin.info.dbname, "grader_with_few_connections"
        admin.execute(f"DROP ROLE IF EXISTS {role}")
        admin.execute(f"CREATE ROLE {role}")
        name = database if limited == "DATABASE" else role
        limit = sql.SQL("ALTER {} {} CONNECTION LIMIT {}")
        as_limited = (sql.SQL(limited), sql.Identifier(name))
        try:
            for allowed in (NEEDED + 2, 15):
                admin.execute(limit.format(*as_limited, allowed))
                with connected(database_url) as db:
                    db.execute(f"SET ROLE {role}")
                    if allowed > NEEDED:
                        assert require_connections(db, NEEDED) >= NEEDED
                        continue
                    with pytest.raises(LauncherError, match=r"has 1\d connections .* needs up to"):
                        require_connections(db, NEEDED)
        finally:
            admin.execute(limit.format(*as_limited, -1))
            admin.execute(f"DROP ROLE {role}")


def test_the_runs_of_many_hosts_need_more_connections_and_fit_a_server_as_it_comes() -> None:
    with_broker = Settings.model_construct(grader_broker_url=SecretStr("redis://localhost/0"))
    usual = 100 - 3  # three are the superuser's
    assert NEEDED < connections_needed(with_broker) < usual


def test_a_server_that_does_not_come_is_waited_for_once_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(LauncherError, match=r"cannot be reached: .* It was waited for 1 s\.$"):
        wait_for_server("postgresql://me:s3cret-pass@127.0.0.1:1/grader", seconds=1)
    (said,) = caplog.messages
    assert "Waiting up to 1 s" in said
    assert "s3cret" not in said


def test_a_server_that_refuses_is_not_waited_for(database_url: str) -> None:
    before = time.monotonic()
    with pytest.raises(LauncherError, match="no database of this name"):
        wait_for_server(psycopg.conninfo.make_conninfo(database_url, dbname="no_such"))
    assert time.monotonic() - before < 30

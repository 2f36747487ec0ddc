"""Dagster's storage: its connections end with their instance, and poolers let them through."""

from contextlib import closing, nullcontext

import dagster as dg
import psycopg
import pytest
from psycopg import sql

from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.roles.instance import environment, write_home
from grader_pipeline.roles.migrate import require_schema
from grader_pipeline.runs import instance_storage
from grader_pipeline.runs.dagster_schema import SCHEMA
from grader_pipeline.settings import Settings
from grader_pipeline_tests.pooler import pooler


def prepared(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DAGSTER_HOME and the environment of a process of Dagster."""
    settings = Settings()
    write_home(settings)
    require_schema(settings, url)
    for name in ("DAGSTER_HOME", "DAGSTER_POSTGRES_URL", "GRADER_RUN_SOCKET"):
        monkeypatch.setenv(name, environment(settings, url)[name])


def sessions(url: str) -> int:
    with psycopg.connect(url) as db:
        row = db.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row
    return int(row[0])


def test_each_tick_of_a_sensor_closes_the_connections_it_opened(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(database_url, monkeypatch)
    with dg.DagsterInstance.get() as instance:
        instance.get_runs_count()
        own, reference = sessions(database_url), instance.get_ref()
        kept = []
        for _ in range(10):
            with dg.DagsterInstance.from_ref(reference) as of_tick:
                of_tick.get_runs_count()
                of_tick.all_asset_keys()
            kept.append(of_tick)  # else the collector closes them
        assert sessions(database_url) == own


@pytest.mark.parametrize("database_url", ["debian_postgres"], indirect=True)
@pytest.mark.parametrize("is_pooled", [False, True])
def test_dagsters_tables_go_to_a_schema_of_their_own_through_a_pooler_too(
    database_url: str, monkeypatch: pytest.MonkeyPatch, is_pooled: bool
) -> None:
    way = pooler(database_url, "session") if is_pooled else nullcontext(database_url)
    with way as url:
        prepared(url, monkeypatch)
        with dg.DagsterInstance.get() as instance:
            assert instance.get_runs_count() == 0
        with closing(Postgres.at(url)) as postgres, postgres.transaction() as db:
            found = db.execute(
                "SELECT to_regclass('runs') AS here, to_regclass(%s)::text AS there",
                [f"{SCHEMA}.runs"],
            ).fetchone()
    assert found == {"here": None, "there": f"{SCHEMA}.runs"}


def test_a_connection_that_the_server_has_closed_is_replaced_before_it_is_used(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    prepared(database_url, monkeypatch)
    with dg.DagsterInstance.get() as instance:
        instance.get_runs_count()
        with psycopg.connect(database_url, autocommit=True) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert instance.get_runs_count() == 0
    assert "Retrying" not in caplog.text


def test_no_statement_tests_a_connection(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(database_url, monkeypatch)
    with dg.DagsterInstance.get() as instance, psycopg.connect(database_url) as db:
        instance.get_runs_count()
        pool = instance.run_storage._engine  # type: ignore[attr-defined]
        for _ in range(2):
            with pool.connect():
                pass
        last = db.execute(
            "SELECT query FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    assert all("runs" in query for (query,) in last), last


@pytest.mark.parametrize("in_run", [False, True])
def test_only_dagsters_sessions_of_a_run_commit_before_the_disk_has_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch, in_run: bool
) -> None:
    monkeypatch.setattr(instance_storage, "_IN_RUNS", {})
    if in_run:
        instance_storage.commit_without_waiting()
    with psycopg.connect(database_url) as db:  # the tests' own server waits for no disk
        own_database = sql.Identifier(db.info.dbname)
        db.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = on").format(own_database))
    prepared(database_url, monkeypatch)
    query = "SHOW synchronous_commit"
    with dg.DagsterInstance.get() as instance:
        pool = instance.run_storage._engine  # type: ignore[attr-defined]
        with pool.connect() as of_dagster:
            (waits,) = of_dagster.exec_driver_sql(query).fetchone()
    with closing(Postgres.at(database_url)) as postgres, postgres.transaction() as db:
        (own,) = (db.execute(query).fetchone() or {}).values()
    assert (waits, own) == ("off" if in_run else "on", "on")

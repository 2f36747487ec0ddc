"""``migrate`` brings a database up to date once, and other roles say when it has to."""

import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.storage.sql import ALEMBIC_SCRIPTS_LOCATION
from psycopg import sql
from psycopg.conninfo import make_conninfo

from grader_pipeline.resources.migrations import migrations
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.migrate import migrate, require_schema
from grader_pipeline.settings import Settings
from grader_pipeline_tests import grader
from grader_pipeline_tests.grader import attempt, rows
from grader_pipeline_tests.roles.deployment import INSTALLED, SERVING, deployment
from grader_pipeline_tests.stacks import api
from grader_pipeline_tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)


def content(url: str) -> list[tuple[object, ...]]:
    """What schemas and pools there are."""
    with psycopg.connect(url) as db:
        return db.execute(
            "SELECT number::text, applied_at::text FROM schema_migration"
            " UNION ALL SELECT version_num, '' FROM dagster.alembic_version"
            ' UNION ALL SELECT concurrency_key, "limit"::text FROM dagster.concurrency_limits'
            " UNION ALL SELECT relname, relacl::text FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace IN ('public'::regnamespace, 'dagster'::regnamespace)"
            " ORDER BY 1, 2"
        ).fetchall()


def revision(url: str, change: str | None = None) -> str:
    with psycopg.connect(url, autocommit=True) as db:
        if change:
            db.execute("UPDATE dagster.alembic_version SET version_num = %s", [change])
        found = db.execute("SELECT version_num FROM dagster.alembic_version").fetchone()
    assert found
    return str(found[0])


@pytest.fixture
def role(database_url: str) -> Iterator[str]:
    """The name of a role of PostgreSQL that may log in, and may make nothing."""
    name = "app_" + psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        yield name
        admin.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_migrate_says_what_it_did_and_does_nothing_the_second_time(database_url: str) -> None:
    said = migrate(Settings(), database_url)
    assert f"Schema of the data: applied {len(migrations())} migrations" in said
    assert "Schema of Dagster: made" in said
    assert "Pools: grader_api 2" in said
    before = content(database_url)
    said = migrate(Settings(), database_url)
    assert {"Schema of the data: is up to date", "Schema of Dagster: is up to date"} < {*said}
    assert content(database_url) == before


def test_several_migrations_at_once_do_it_once(database_url: str) -> None:
    with deployment(DATABASE_URL=database_url) as found:
        asked = [
            subprocess.Popen(
                [INSTALLED, "migrate"], env=found.environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            for _ in range(4)
        ]  # fmt: skip
        said = [process.communicate()[0] for process in asked]
        assert [process.returncode for process in asked] == [0] * 4, said
        before = content(database_url)
        assert found.run("migrate").returncode == 0
    assert sum("Schema of Dagster: made" in text for text in said) == 1
    assert content(database_url) == before


def test_an_older_schema_of_dagster_is_upgraded_and_a_newer_one_left_alone(
    database_url: str,
) -> None:
    migrate(Settings(), database_url)
    newest = revision(database_url)
    config = Config()
    config.set_main_option("script_location", ALEMBIC_SCRIPTS_LOCATION)
    before = ScriptDirectory.from_config(config).get_revision(newest).down_revision
    revision(database_url, str(before))
    assert "Schema of Dagster: upgraded" in migrate(Settings(), database_url)
    assert revision(database_url) == newest

    revision(database_url, "of_a_newer_one")
    require_schema(Settings(), database_url)
    assert "Schema of Dagster: is up to date" in migrate(Settings(), database_url)
    assert revision(database_url) == "of_a_newer_one"


def test_a_database_of_a_newer_release_is_used_as_it_is_by_a_role_that_may_change_nothing(
    database_url: str, role: str
) -> None:
    migrate(Settings(), database_url)
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("INSERT INTO schema_migration VALUES (999999, 'newer')")
        admin.execute(f"GRANT SELECT ON schema_migration TO {role}")
        admin.execute(f"GRANT USAGE ON SCHEMA dagster TO {role}")
        admin.execute(f"GRANT SELECT ON dagster.alembic_version TO {role}")
    require_schema(Settings(), make_conninfo(database_url, user=role))


def test_a_role_without_create_is_sent_to_migrate_by_every_role_and_then_runs_a_day(
    database_url: str, role: str
) -> None:
    limited = make_conninfo(database_url, user=role)
    with grader.running() as answering:
        answering.answer = rows([attempt()])
        with deployment(DATABASE_URL=limited, **api(answering.url, "sample")) as found:
            for serving in (*SERVING, "migrate"):
                refused = found.run(serving)
                assert refused.returncode == 1
                assert "Run `grader-pipeline migrate` with a DATABASE_URL whose" in refused.stderr
            assert found.run("migrate", DATABASE_URL=database_url).returncode == 0
            with psycopg.connect(database_url, autocommit=True) as admin:
                for schema in ("public", "dagster"):
                    admin.execute(
                        f"GRANT USAGE ON SCHEMA {schema} TO {role};"
                        "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES"
                        f" IN SCHEMA {schema} TO {role};"
                        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
                    )
            for serving in SERVING:
                found.start(serving)
            assert eventually(found.has_code, 120), found.said("ui")
            run = found.launch()
            assert eventually(lambda: found.status(run) in {"SUCCESS", "FAILURE"}, 120)
            assert found.status(run) == "SUCCESS", found.why(run)


def test_what_dagsters_part_lacks_is_told_like_the_rest(database_url: str, role: str) -> None:
    migrate(Settings(), database_url)
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("DROP SCHEMA dagster CASCADE")
        admin.execute(f"GRANT SELECT ON schema_migration TO {role}")
    with pytest.raises(LauncherError, match=r"schema dagster .*Run `grader-pipeline migrate`"):
        require_schema(Settings(), make_conninfo(database_url, user=role))

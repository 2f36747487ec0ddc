"""Brings the database up to date: both schemas, the limits of the pools, the role that only reads.

The pipeline's own tables are migrated by ``resources/migrations.py``, Dagster's by Dagster. What
the database has already stays, and a schema that is newer than this code is left alone. Several
processes may do this at once: one does it, the others wait.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import resources
from typing import Any

import dagster as dg
import psycopg
import sqlalchemy.exc
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.rows import dict_row

from grader_pipeline.reports import readers
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.tables import make_tables
from grader_pipeline.resources import connections, migrations
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.roles import instance
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.runs import pool_limits
from grader_pipeline.runs.dagster_schema import SCHEMA, TABLES
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

_VARIABLES = ("DAGSTER_HOME", "DAGSTER_POSTGRES_URL", "GRADER_RUN_SOCKET")
"""What dagster.yaml reads."""


def migrate(settings: Settings, database_url: str) -> list[str]:
    """Do what the database lacks. Gives what was done, a line each.

    Raises LauncherError when the database cannot be used, or its role may not do it.
    """
    done = _migrate_schemas(settings, database_url)
    with opened(settings, database_url) as dagsters:
        limits = pool_limits.set_limits(dagsters)
    done.append(f"Pools: {', '.join(f'{name} {limit}' for name, limit in limits.items())}")
    with _explained(), closing(Postgres.at(database_url)) as postgres:
        return [*done, *_make_report_tables(postgres), _make_reader(postgres)]


def require_schema(settings: Settings, database_url: str) -> None:
    """Let the database have the schemas of this code, or newer ones.

    Raises LauncherError when it has not and the role may not make them.
    """
    with _explained(), closing(connections.connect(database_url)) as db:
        is_prepared = not migrations.pending(db) and not dagsters_lack(db)
    if not is_prepared:
        _migrate_schemas(settings, database_url)


@contextmanager
def opened(settings: Settings, database_url: str) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance, in a process that is none of Dagster's."""
    instance.write_home(settings)
    environment = instance.environment(settings, database_url)
    before = {name: os.environ.get(name) for name in _VARIABLES}
    os.environ.update({name: environment[name] for name in _VARIABLES})
    try:
        with dg.DagsterInstance.get() as dagsters:
            yield dagsters
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _migrate_schemas(settings: Settings, database_url: str) -> list[str]:
    with _explained(), closing(Postgres.at(database_url)) as postgres:
        with closing(connections.connect(database_url)) as db:
            pending = migrations.pending(db)
        with postgres.holding("migrate"):
            number = f"{len(pending)} migration{'s' if len(pending) > 1 else ''}"
            said = f"applied {number}" if pending else "is up to date"
            return [f"Schema of the data: {said}", _migrate_dagsters(settings, database_url)]


def _make_report_tables(postgres: Postgres) -> list[str]:
    errors = make_tables(postgres, found := reports())
    said = f"Reports: {len(found) - len(errors)} tables"
    return [said, *(f"This report has no table: {error}" for error in errors)]


def _make_reader(postgres: Postgres) -> str:
    """Let the role that only reads read what it may, if there is one or it can be made."""
    with postgres.transaction() as db:
        if not readers.make_role(db):
            return (
                f"Role {readers.ROLE}: not made, the role of DATABASE_URL may not make roles. "
                f"For colleagues who only read, let an administrator run `{readers.BY_HAND}`, and "
                "run this again."
            )
        count = readers.let_read(db, reports())
    return f"Role {readers.ROLE}: reads {count} of the reports"


def _migrate_dagsters(settings: Settings, database_url: str) -> str:
    with closing(connections.connect(database_url)) as db:
        lacks = dagsters_lack(db)
        if lacks == "schema":
            try:
                db.execute(f"CREATE SCHEMA {SCHEMA}".encode())
            except psycopg.errors.InsufficientPrivilege as error:
                raise _refused(SCHEMA, connections.cause(error)) from None
    if lacks is None:
        return "Schema of Dagster: is up to date"
    # The instance makes the tables if there are none.
    with opened(settings, database_url) as dagsters:
        if lacks == "migrations":
            dagsters.upgrade()
    return f"Schema of Dagster: {'upgraded' if lacks == 'migrations' else 'made'}"


def dagsters_lack(db: psycopg.Connection[Any]) -> str | None:
    """What Dagster's part of the database lacks: its schema, its tables, or later migrations."""
    with db.cursor(row_factory=dict_row) as cursor:
        named = {"schema": SCHEMA, "tables": [f"{SCHEMA}.{table}" for table in TABLES]}
        cursor.execute(statement("session/dagsters_schema"), named)
        found = cursor.fetchone() or {}
        if not found["has_schema"]:
            return "schema"
        if not found["has_tables"]:
            return "tables"
        cursor.execute(statement("session/dagsters_revision"))
        noted = (cursor.fetchone() or {"revision": None})["revision"]
    # This file names the folder of the migrations, which is Dagster's own affair.
    file = resources.files("dagster_postgres") / "alembic" / "alembic.ini"
    scripts = ScriptDirectory.from_config(Config(str(file)))
    # A revision that this Dagster does not know is a newer one's.
    known = {script.revision for script in scripts.walk_revisions()}
    return "migrations" if noted in known - {scripts.get_current_head()} else None


@contextmanager
def _explained() -> Iterator[None]:
    """Raise LauncherError in place of what the database's refusals raise."""
    try:
        yield
    except dg.Failure as failure:
        raise LauncherError(failure.description or str(failure)) from None
    except connections.CannotConnectError as error:
        raise LauncherError(str(error)) from None
    except sqlalchemy.exc.DBAPIError as error:
        raise _refused(SCHEMA, str(error.orig)) from None


def _refused(schema: str, text: str) -> LauncherError:
    cause = text.partition("\n")[0]
    return LauncherError(
        f"The role of DATABASE_URL may not make or change the tables of the schema {schema} "
        f"({cause}). Run `grader-pipeline migrate` once with a DATABASE_URL whose role has CREATE "
        "on the database and owns these tables."
    )

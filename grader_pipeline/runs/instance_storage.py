"""Dagster's tables in PostgreSQL, through a connection that stays open.

Dagster's own storage connects for each statement, some 200 times a run, which takes longer than the
work of a usual day. Only its web server has a pool, which no setting gives to other processes.

Dagster also looks up 70 times a run whether its tables and columns exist. Here it does so once,
because nobody removes them. Worth: 0.13 s of PostgreSQL's 0.63 s of CPU in a usual day.

SQLAlchemy tests a connection by a statement before each use, 450 times a run. Here it looks at the
socket, and asks only if something came. Worth: half of a run's statements.

A session sets its schema after it has begun, because a pooler refuses startup options.
"""

import select
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cache
from typing import Any, Self, cast

import psycopg2.extensions
import sqlalchemy
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config, retry_pg_connection_fn
from sqlalchemy import event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection

from grader_pipeline.runs.dagster_schema import APPLICATION, SCHEMA, TABLES
from grader_pipeline.runs.small_events import store_small_events
from grader_pipeline.statements import statement

_IN_RUNS: dict[str, str] = {}
"""What sessions of runs set besides."""


class PooledStorage(DagsterPostgresStorage):
    """Dagster's storage of runs, events and ticks, with one pool of connections for all three.

    The pool keeps two connections open in each process, and opens more while threads need them. A
    run needs one. The daemon's threads would open four anew for each run if it kept one. It tests a
    connection before each use, because the server may have closed it. It closes them with the
    instance: a sensor's tick has one of its own.
    """

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Make the storage that a dagster.yaml configures."""
        url = pg_url_from_config(cast("Any", config_value))
        pool = create_pg_engine(
            url, isolation_level="AUTOCOMMIT", pool_size=2, max_overflow=-1, pool_pre_ping=True
        )
        _test_by_the_socket(pool.dialect)
        # Looked up once for the three parts: each would do so through two connections.
        found = retry_pg_connection_fn(lambda: inspect(pool).get_table_names())
        storage = cls(url, should_autocreate_tables=not set(found) >= TABLES, inst_data=inst_data)
        for part in (storage._run_storage, storage._event_log_storage, storage._schedule_storage):
            part._engine = pool
        runs, events = storage._run_storage, storage._event_log_storage
        # The instance disposes of its parts. Dagster's own have nothing to close.
        cast("Any", runs).dispose = pool.dispose
        for part, question in (
            (runs, "has_run_stats_index_cols"),
            (events, "has_asset_key_col"),
        ):
            setattr(part, question, cache(getattr(part, question)))
        # It would ask through a connection of its own.
        has_table = cache(events.has_table)
        cast("Any", events).has_table = lambda name: name in found or has_table(name)
        store_small_events(events)
        return storage


def _test_by_the_socket(dialect: sqlalchemy.Dialect) -> None:
    """Have a pool ask a connection that is idle only if the server has sent or closed something."""
    ask: Callable[[DBAPIConnection], bool] = dialect.do_ping

    def is_alive(connection: DBAPIConnection) -> bool:
        poll = select.poll()
        poll.register(cast("Any", connection), select.POLLIN)
        return not poll.poll(0) or ask(connection)

    cast("Any", dialect).do_ping = is_alive


def commit_without_waiting() -> None:
    """Have sessions of this process, and of its forks, commit before the disk has it: in runs.

    If the server's machine dies, it may have lost the last 0.6 s of Dagster's records, and nothing
    before them. Each commit of the pipeline's own sessions waits for the disk, and for all commits
    before it. So what is left is what there was a moment earlier: no mail, no settled record and no
    other day is ahead of the events before it. Worth: a run waits for the disk 20 times, not 150.
    """
    _IN_RUNS["synchronous_commit"] = "off"


# For all engines, because Dagster's storage first asks for its tables through engines of its own.
# Sessions of other programs in this process are not touched: they have another name.
@event.listens_for(sqlalchemy.Engine, "connect")
def begin_session(connection: DBAPIConnection, _record: object) -> None:
    """Set what sessions of the pipeline set, and the schema of Dagster's tables."""
    if not isinstance(connection, psycopg2.extensions.connection):
        return
    if connection.info.dsn_parameters.get("application_name") != APPLICATION:
        return
    was, connection.autocommit = connection.autocommit, True
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement("session/begin"))
        for name, value in {"search_path": SCHEMA, **_IN_RUNS}.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
    connection.autocommit = was

"""Dagster's tables in PostgreSQL, through a connection that is kept.

Dagster's own storage connects anew for every statement, some two hundred times a run: more time
than the work of a usual day. Its web server alone has a pool, by a method that only it calls. It
also looks up in PostgreSQL's catalogue, seventy times a run, whether tables and columns are there
that came with a release; here it does so once, for nobody removes them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Self, cast

from dagster._core.storage.config import PostgresStorageConfig
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config, retry_pg_connection_fn
from sqlalchemy import inspect

_TABLES = {"runs", "instance_info", "event_logs", "jobs"}
"""Those by which Dagster's storage tells that it has made all of its tables."""


class PooledStorage(DagsterPostgresStorage):
    """Runs, events and ticks share a pool, which keeps one connection open per process.

    More are opened while threads need them. One that the server has closed meanwhile is noticed
    before it is used.
    """

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Make the storage of a dagster.yaml."""
        url = pg_url_from_config(cast("PostgresStorageConfig", config_value))
        pool = create_pg_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,
        )
        # Asked here, for each part would ask for its own through connections of its own.
        there = retry_pg_connection_fn(lambda: inspect(pool).get_table_names())
        storage = cls(url, should_autocreate_tables=not set(there) >= _TABLES, inst_data=inst_data)
        for part in (storage._run_storage, storage._event_log_storage, storage._schedule_storage):
            part._engine = pool
        runs, events = storage._run_storage, storage._event_log_storage
        for part, question in (
            (runs, "has_run_stats_index_cols"),
            (events, "has_asset_key_col"),
            (events, "has_table"),
        ):
            setattr(part, question, cache(getattr(part, question)))
        return storage

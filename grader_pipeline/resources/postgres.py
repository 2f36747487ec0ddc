"""PostgreSQL: the one owner of connections in its process.

A session applies the migrations that the database lacks (see ``migrations.py``).

Source: DATABASE_URL. Sessions speak UTC.
"""

import logging
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress

import dagster as dg
import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql
from pydantic import Field, PrivateAttr, SecretStr
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.in_thread import read_ahead
from grader_pipeline.resources import connections, original_table
from grader_pipeline.resources.connections import cause
from grader_pipeline.resources.lock_waits import LockWaits
from grader_pipeline.resources.migrations import (
    advice,
    grader_differences,
    migrate,
    pending,
    schema_differences,
)
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

Connection = connections.Connection

_COPIED_AT_ONCE = 10_000
"""Rows. So few stay in the processor's cache until they are sent."""

_CANCEL_SECONDS = 5
"""How long the server may take to answer that it cancels a query."""


class Postgres(dg.ConfigurableResource["Postgres"]):
    """PostgreSQL: attempts, ledger, reports and outbox. DATABASE_URL names the database."""

    where: str = Field(default="", description="The database. Sessions use DATABASE_URL.")

    connect_seconds: float = Field(
        default=30, description="How long to wait for a server that is down before the run fails."
    )

    _url: SecretStr | None = PrivateAttr(default=None)
    _lock: threading.RLock = PrivateAttr(default_factory=threading.RLock)
    _connection: Connection | None = PrivateAttr(default=None)
    _waits: LockWaits = PrivateAttr(default_factory=LockWaits)

    @classmethod
    def at(cls, url: str) -> "Postgres":
        """The database of ``url`` in place of that of DATABASE_URL. No UI page shows ``url``."""
        (postgres := cls())._url = SecretStr(url)
        return postgres

    @contextmanager
    def transaction(self, *, lock: str | None = None) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises.

        ``lock`` names an advisory lock: until the transaction ends, no other process has it.

        Raises TransientFailure if the server cannot be reached or goes away, PermanentFailure if it
        refuses the connection or a statement, or its disk is full.
        """
        with self._lock:
            try:
                connection = self._connected()
                with _closed_if_interrupted(connection), connection.transaction():
                    if lock is not None:
                        query = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
                        with self._waits.waiting_for(f"lock {lock.partition('/')[0]}"):
                            connection.execute(query, [lock])
                    yield connection
            except psycopg.errors.DiskFull as error:
                raise PermanentFailure(
                    f"The disk of the database is full ({cause(error)}). Nothing was stored there. "
                    "Make room on the database server's disk (the embedded one is in "
                    "GRADER_HOME/postgres), and run the day again."
                ) from None
            except psycopg.OperationalError as error:
                raise TransientFailure(
                    f"The database went away or gave up ({cause(error)}). Nothing was stored "
                    "there. Check the server and run the day again."
                ) from None
            except psycopg.Error as error:
                raise PermanentFailure(
                    f"The database refused ({cause(error)}; {type(error).__name__}). Nothing was "
                    "stored there. Compare its tables with sql/schema: `grader-pipeline doctor`."
                ) from None

    @property
    def waits(self) -> LockWaits:
        """How long the run has waited for locks of others."""
        return self._waits

    @contextmanager
    def alone(self, work: str) -> Iterator[bool]:
        """Whether no other process does this work; none begins it until the block ends.

        The lock is the session's: it ends with the connection, too. Raises like ``transaction``.
        """
        with self.transaction() as db:
            row = db.execute(statement("session/try_lock"), {"work": work}).fetchone() or {}
        try:
            yield row["answer"]
        finally:
            self._unlock("session/unlock", work) if row["answer"] else None

    @contextmanager
    def holding(self, work: str, *, shared: bool = False) -> Iterator[None]:
        """Wait for the lock of ``alone`` and hold it. Those who share it hold it together."""
        suffix = "_shared" if shared else ""
        with self.transaction() as db, self._waits.waiting_for(f"lock {work}"):
            db.execute(statement(f"session/lock{suffix}"), {"work": work})
        try:
            yield
        finally:
            self._unlock(f"session/unlock{suffix}", work)

    def _unlock(self, name: str, work: str) -> None:
        if self._connection is not None and not self._connection.closed:
            with self.transaction() as db:
                db.execute(statement(name), {"work": work})

    def probe(self) -> str:
        """Connect and look at the tables, change nothing. Raises like ``transaction``."""
        with closing(self._connect()) as connection:
            missing = pending(connection)
            to_take_over = grader_differences(connection) if missing else []
            may_create = connection.execute(statement("session/may_create")).fetchone() or {}
        if missing and not may_create["answer"]:
            raise PermanentFailure(
                f"The database needs {len(missing)} migrations of sql/schema, and the role of "
                "DATABASE_URL may not apply them: run `grader-pipeline migrate` with a role that "
                "may, or grant it CREATE on the schema."
            )
        if any(not difference.is_safe for difference in to_take_over):
            raise PermanentFailure(original_table.refusal(to_take_over))
        if missing:
            said = f"PostgreSQL answers; the next run applies {len(missing)} migrations"
            if to_take_over:
                said += f" and takes the table grader over ({original_table.texts(to_take_over)})"
            return said
        with self.transaction() as db:
            version = db.info.server_version // 10_000
            if differences := schema_differences(db):
                raise PermanentFailure(advice(db, differences))
        return f"PostgreSQL {version} answers, its tables are those of sql/schema"

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the connection with the run that used it."""
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            connection = self._connect()
            try:
                migrate(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _connect(self) -> Connection:
        url = self._url or Settings().database_url
        if url is None:
            raise PermanentFailure(
                "DATABASE_URL is not set. Set it, or start the pipeline with `grader-pipeline dev`,"
                " which brings a PostgreSQL of its own."
            )
        attempts = Retrying(
            retry=retry_if_exception_type(TransientFailure),
            wait=wait_random_exponential(max=5),
            stop=stop_after_delay(self.connect_seconds),
            reraise=True,
        )
        return attempts(_open, url.get_secret_value())


def copy_in(db: Connection, copy: sql.Composed | bytes, tables: Iterable[pa.Table]) -> int:
    """Stream ``tables`` into the ``COPY … FROM STDIN (FORMAT binary)`` statement ``copy``.

    Columns go in the order they have, with types as pgpq gives them. ``tables`` are taken and
    encoded in a thread while the server takes what is before. Returns the number of rows.
    """
    with db.cursor() as cursor:
        with read_ahead(_encoded(tables)) as pieces, cursor.copy(copy) as stream:
            for piece in pieces:
                stream.write(piece)
        return cursor.rowcount


def _encoded(tables: Iterable[pa.Table]) -> Generator[bytes, None, None]:
    """The tables in PostgreSQL's binary format of COPY, piece by piece."""
    encoder = None
    for table in tables:
        if encoder is None:
            encoder = ArrowToPostgresBinaryEncoder(table.schema)
            yield encoder.write_header()
        for batch in table.to_batches(max_chunksize=_COPIED_AT_ONCE):
            yield encoder.write_batch(batch)
    if encoder is None:
        encoder = ArrowToPostgresBinaryEncoder(pa.schema([]))
        yield encoder.write_header()
    yield encoder.finish()


@contextmanager
def _closed_if_interrupted(connection: Connection) -> Iterator[None]:
    """Cancel the query and close the connection if a signal's exception ends the block.

    A connection with a query under way, COMMIT and BEGIN too, can neither roll back nor unlock. The
    error of that would hide the signal's exception.
    """
    try:
        yield
    except Exception:
        raise
    except BaseException:
        with suppress(psycopg.Error):
            connection.cancel_safe(timeout=_CANCEL_SECONDS)
        connection.close()
        raise


def _open(url: str) -> Connection:
    try:
        return connections.connect(url)
    except connections.CannotConnectError as error:
        log.warning("%s Trying again.", error)
        raise TransientFailure(str(error)) from None

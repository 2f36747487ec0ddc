"""How a connection to PostgreSQL is opened in this project, and what may be said of its errors."""

import logging
from contextlib import closing
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.resources.database_url import url_parts, with_keepalive
from grader_pipeline.resources.refusals import REFUSALS, sqlstate_of_refusal
from grader_pipeline.statements import statement

Connection = psycopg.Connection[dict[str, Any]]
"""A connection whose rows are dicts."""

_SESSION_MODE = "Use a pool in session mode, or connect to PostgreSQL itself: set DATABASE_URL."


class CannotConnectError(Exception):
    """A server that cannot be reached now. The text says why, without the URL."""


def connect(url: str) -> Connection:
    """Open a session that speaks UTC and UTF-8, and commits each statement.

    Raises CannotConnectError if the server cannot be reached now, PermanentFailure if it refuses,
    if the URL cannot be read, or if what answers cannot keep a day: another encoding than UTF8, a
    pooler in transaction mode.
    """
    try:
        parameters = {**with_keepalive(url_parts(url)), "client_encoding": "UTF8"}
        connection = _opened(parameters)
    except psycopg.ProgrammingError:
        # The driver's text quotes the URL with the password.
        raise PermanentFailure(
            "DATABASE_URL cannot be read: write it as postgresql://user:password@host:5432/name, "
            "with other characters than letters and digits percent-encoded."
        ) from None
    except psycopg.OperationalError as error:
        text, is_refusal = _said_of(error, parameters)
        message = f"PostgreSQL cannot be reached: {text}"
        if is_refusal:
            raise PermanentFailure(f"{message}. Check DATABASE_URL.") from None
        raise CannotConnectError(f"{message}. Check that it runs, and DATABASE_URL.") from None
    try:
        _check(connection, parameters)
        connection.execute(statement("session/begin"))
    except BaseException:
        connection.close()
        raise
    return connection


def cause(error: psycopg.Error) -> str:
    """The server's own sentence, without its details: they quote rows, and rows name learners."""
    return error.diag.message_primary or str(error).strip().splitlines()[0].strip()


def _opened(parameters: dict[str, str]) -> Connection:
    # The driver warns of an error if another one is raised anyway.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    return psycopg.connect(
        make_conninfo(**parameters),
        row_factory=dict_row,
        autocommit=True,
    )


def _said_of(error: psycopg.OperationalError, parameters: dict[str, str]) -> tuple[str, bool]:
    """What to say of a connection that failed, and whether waiting does not help."""
    if error.pgconn is not None and error.pgconn.needs_password:
        return "it wants a password, and DATABASE_URL has none", True
    code = sqlstate_of_refusal(parameters)
    if code is None:
        return cause(error), False
    text, is_refusal = REFUSALS.get(code, (None, code.startswith(("28", "3D", "42"))))
    return f"{text or cause(error)} (SQLSTATE {code})", is_refusal


def _check(connection: Connection, parameters: dict[str, str]) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise PermanentFailure(
            f"The database {connection.info.dbname} has the encoding {encoding}, which cannot keep "
            "every text. Nothing was stored. Make one with CREATE DATABASE … ENCODING 'UTF8' "
            "TEMPLATE template0, and set DATABASE_URL to it."
        )
    if _is_pooled(connection) and _shares_backends(connection, parameters):
        raise PermanentFailure(
            "DATABASE_URL leads to a pooler in transaction mode, which takes locks and temporary "
            f"tables away between two statements. {_SESSION_MODE}"
        )


def _is_pooled(connection: Connection) -> bool:
    """Whether something between has its own number for the session."""
    return _backend(connection) != connection.pgconn.backend_pid


def _shares_backends(connection: Connection, parameters: dict[str, str]) -> bool:
    """Whether a second session gets the server process that the first one has."""
    before = _backend(connection)
    try:
        with closing(_opened(parameters)) as second, second.transaction():
            return before == _backend(second) or before != _backend(connection)
    except psycopg.errors.ProtocolViolation:  # no transaction, in statement mode
        return True


def _backend(connection: Connection) -> int:
    found = connection.execute(statement("session/backend")).fetchone() or {}
    return int(found["pid"])

"""Connections of roles and of the launcher to the database of DATABASE_URL."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import psycopg
from psycopg.conninfo import make_conninfo

from grader_pipeline.resources.connections import CannotConnectError, connect
from grader_pipeline.resources.database_url import url_parts, with_keepalive
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

WAIT_SECONDS = 60


def parameters(database_url: str) -> dict[str, str]:
    """The parts of DATABASE_URL, by libpq's names.

    Raises LauncherError when it cannot be read.
    """
    try:
        return url_parts(database_url)
    except psycopg.ProgrammingError:
        # The driver's text quotes the URL, with its password.
        raise LauncherError(
            "DATABASE_URL cannot be read: write it as postgresql://user:password@host:5432/name, "
            "with other characters than letters and digits percent-encoded."
        ) from None


@contextmanager
def connected(database_url: str) -> Iterator[psycopg.Connection]:
    """Open a connection that commits each statement. The end of the block closes it.

    Raises LauncherError, with a text of one line, when the database cannot be reached or refuses.
    """
    known = make_conninfo(**with_keepalive(parameters(database_url)))
    try:
        with psycopg.connect(known, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        # The first line is the cause. The others are guesses of libpq.
        cause = str(error).partition("\n")[0]
        raise LauncherError(f"The database of DATABASE_URL cannot be used: {cause}") from None


def require_connections(db: psycopg.Connection, needed: int) -> int:
    """Give how many sessions of the pipeline the server allows.

    Raises LauncherError if they are fewer than ``needed``.
    """
    (free,) = db.execute(statement("session/free_connections")).fetchone() or (0,)
    if free < needed:
        raise LauncherError(
            f"The database has {free} connections for the pipeline, which needs up to "
            f"{needed}. Raise max_connections of the server, the limit of the role or "
            "of the database, or end other sessions."
        )
    return int(free)


def wait_for_server(database_url: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until the server takes sessions: a whole deployment starts at once.

    Raises LauncherError when it does not within ``seconds``, and at once when it refuses.
    """
    deadline = time.monotonic() + seconds
    waits = False
    while True:
        try:
            connect(database_url).close()
        except CannotConnectError as error:
            if time.monotonic() > deadline:
                raise LauncherError(f"{error} It was waited for {seconds:.0f} s.") from None
            if not waits:
                log.warning("%s Waiting up to %.0f s.", error, seconds)
                waits = True
        except dg.Failure as failure:
            raise LauncherError(failure.description or str(failure)) from None
        else:
            return
        time.sleep(1)

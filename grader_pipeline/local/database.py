"""The launcher's own way into the database of DATABASE_URL, and what it says when there is none."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict

from grader_pipeline.local.errors import LauncherError


def parameters(database_url: str) -> dict[str, str]:
    """What DATABASE_URL says, by libpq's names.

    Raises LauncherError when it cannot be read.
    """
    try:
        return {name: str(value) for name, value in conninfo_to_dict(database_url).items()}
    except psycopg.ProgrammingError:
        # The driver's text quotes the URL, password and all.
        raise LauncherError(
            "DATABASE_URL cannot be read: write it as postgresql://user:password@host:5432/name, "
            "with other characters than letters and digits percent-encoded."
        ) from None


@contextmanager
def connected(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection that commits each statement, closed with the block.

    Raises LauncherError, in one line, when the database cannot be reached or refuses.
    """
    parameters(database_url)
    try:
        with psycopg.connect(database_url, connect_timeout=10, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        # The first line is the cause, the others are libpq's guesses at it.
        cause = str(error).partition("\n")[0]
        raise LauncherError(f"The database of DATABASE_URL cannot be used: {cause}") from None

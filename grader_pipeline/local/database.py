"""The launcher's own connections to the database of DATABASE_URL."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from grader_pipeline.local.errors import LauncherError
from grader_pipeline.resources.connections import url_parts


def parameters(database_url: str) -> dict[str, str]:
    """The parts of DATABASE_URL, by libpq's names.

    Raises LauncherError when it cannot be read.
    """
    try:
        return {name: str(value) for name, value in url_parts(database_url).items()}
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
    parameters(database_url)
    try:
        with psycopg.connect(database_url, connect_timeout=10, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        # The first line is the cause. The others are guesses of libpq.
        cause = str(error).partition("\n")[0]
        raise LauncherError(f"The database of DATABASE_URL cannot be used: {cause}") from None

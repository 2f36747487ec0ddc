"""What a connection to PostgreSQL is in this project, and what may be said of its errors."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

Connection = psycopg.Connection[dict[str, Any]]
"""A connection whose rows are dicts."""


def cause(error: psycopg.Error) -> str:
    """The server's own sentence, without its details: they quote rows, and rows name learners."""
    return error.diag.message_primary or str(error).strip().splitlines()[0].strip()


def url_parts(database_url: str) -> dict[str, Any]:
    """The parts of DATABASE_URL, by libpq's names.

    Raises psycopg.ProgrammingError when it cannot be read, or when libpq would take a half of the
    password for a host or a name, and show it: an @ or / of a password must be percent-encoded.
    """
    parts: dict[str, Any] = dict(conninfo_to_dict(database_url))
    if "://" in database_url and any("@" in str(parts.get(n)) for n in ("host", "port", "dbname")):
        raise psycopg.ProgrammingError("an @ is not percent-encoded")
    return parts

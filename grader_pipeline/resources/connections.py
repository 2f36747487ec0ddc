"""What a connection to PostgreSQL is in this project, and what may be said of its errors."""

from typing import Any

import psycopg

Connection = psycopg.Connection[dict[str, Any]]
"""A connection whose rows are dicts."""


def cause(error: psycopg.Error) -> str:
    """The server's own sentence, without its details: they quote rows, and rows name learners."""
    return error.diag.message_primary or str(error).strip().splitlines()[0].strip()

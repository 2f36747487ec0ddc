"""The parts of DATABASE_URL. This imports no Dagster, so that a health check is quick."""

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict

_KEEPALIVE = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}


def url_parts(database_url: str) -> dict[str, str]:
    """The parts of DATABASE_URL, by libpq's names. A driver in its scheme is left out.

    Raises psycopg.ProgrammingError when it cannot be read, or when libpq would take a half of the
    password for a host or a name, and show it: an @ or / of a password must be percent-encoded.
    """
    plain = re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", database_url)
    parts = {name: str(value) for name, value in conninfo_to_dict(plain).items()}
    if "://" in database_url and any("@" in parts.get(n, "") for n in ("host", "port", "dbname")):
        raise psycopg.ProgrammingError("an @ is not percent-encoded")
    return parts


def with_keepalive(parameters: dict[str, str]) -> dict[str, str]:
    """Parameters of libpq, and those by which a session notices within 25 s a dead host."""
    return _KEEPALIVE | parameters

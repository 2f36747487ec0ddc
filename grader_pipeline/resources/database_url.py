"""The parts of DATABASE_URL. This imports no Dagster, so that a health check is quick."""

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict

from grader_pipeline.settings import Settings

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


def database_place(settings: Settings) -> str:
    """Host and name of the database, for Dagster's UI: no user and no password."""
    if settings.database_url is None:
        return "DATABASE_URL is not set"
    try:
        parts = url_parts(settings.database_url.get_secret_value())
    except psycopg.ProgrammingError:
        return "DATABASE_URL cannot be read"
    host, port = parts.get("host", "the local socket"), parts.get("port", 5432)
    return f"database {parts.get('dbname', 'of the user')} at {host}, port {port}"

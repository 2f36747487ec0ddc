"""Where the roles find each other: database, code server, and the sockets of one machine."""

import os
from pathlib import Path

from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.processes import socket_place
from grader_pipeline.settings import Settings

SOCKETS = "dagster"
"""The purpose of the folder of the sockets."""


def required_url(settings: Settings) -> str:
    """DATABASE_URL. Raises LauncherError when it is not set."""
    if settings.database_url is None:
        raise LauncherError(
            "DATABASE_URL is not set, and a role of a deployment needs it. Set it, or start "
            "`grader-pipeline dev`, which brings a PostgreSQL of its own."
        )
    return settings.database_url.get_secret_value()


def code_server(settings: Settings) -> tuple[str, int] | Path:
    """Where UI and daemon find the code server: host and port, or a socket of this machine."""
    if settings.grader_code_server is None:
        return code_socket(settings)
    host, _, port = settings.grader_code_server.rpartition(":")
    return host, int(port)


def code_socket(settings: Settings) -> Path:
    """The socket of a code server that has no port."""
    return _sockets(settings) / "code.sock"


def run_socket(settings: Settings) -> Path:
    """The socket of the run server."""
    return _sockets(settings) / "runs.sock"


def _sockets(settings: Settings) -> Path:
    return socket_place(settings.grader_home, SOCKETS, os.geteuid())

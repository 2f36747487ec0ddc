"""``grader-pipeline pg_dump``: a backup of the database that is in use."""

import argparse
import shutil

from grader_pipeline.cli.database import database_url
from grader_pipeline.cli.psql import execute
from grader_pipeline.local.embedded_postgres import bundled_program
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What pg_dump takes."""
    parser.epilog = (
        "Everything after `pg_dump` is pg_dump's: `grader-pipeline pg_dump -Fc -f grader.dump`. "
        "The database is that of DATABASE_URL or, if that is unset, the embedded one, also while "
        "`dev` runs. The dump has learners' ids."
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG")


def run(chosen: argparse.Namespace) -> int:
    """Run pg_dump and give its exit code.

    Raises LauncherError when there is no pg_dump, or no database.
    """
    settings = Settings()
    with database_url(settings) as url:
        # It dumps no server that is newer than itself: the embedded one has its own.
        installed = shutil.which("pg_dump") if settings.database_url else None
        program = installed or bundled_program("pg_dump")
        if program is None:
            raise LauncherError(
                "pg_dump is not installed. Install PostgreSQL's client (Debian: postgresql-client) "
                "of the server's version or a later one."
            )
        return execute(program, chosen.arguments, url)

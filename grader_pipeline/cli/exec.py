"""``grader-pipeline exec``: runs a command of Dagster's on the instance of ``dev``."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from grader_pipeline.roles import instance
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.migrate import require_schema
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command, and all that follows it."""
    parser.add_argument("program", metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG")


def run(chosen: argparse.Namespace) -> NoReturn:
    """Replace this process by the command, in the environment of the launcher's processes.

    Raises LauncherError when DATABASE_URL is not set or cannot be used, or there is no such
    program.
    """
    settings = Settings()
    if settings.database_url is None:
        raise LauncherError(
            "DATABASE_URL is not set, and the embedded PostgreSQL serves `grader-pipeline dev` "
            "alone. Set DATABASE_URL, start `grader-pipeline dev` again with it, then repeat this."
        )
    database_url = settings.database_url.get_secret_value()
    instance.write_home(settings)
    require_schema(settings, database_url)
    environment = instance.environment(settings, database_url)
    programs = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([programs, environment.get("PATH", os.defpath)])
    try:
        os.execvpe(chosen.program, [chosen.program, *chosen.arguments], environment)  # noqa: S606
    except OSError as error:
        raise LauncherError(f"{chosen.program} cannot be run ({error.strerror}).") from None

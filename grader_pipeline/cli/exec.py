"""``grader-pipeline exec``: runs a command of Dagster's on the instance of ``dev``."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from grader_pipeline.local import dagster_home
from grader_pipeline.local.errors import LauncherError
from grader_pipeline.local.processes import MARK
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
    dagster_home.write_instance(settings, database_url)
    environment = dagster_home.environment(settings, database_url)
    # A launcher ends processes with its mark when it starts. This one is the user's.
    del environment[MARK]
    programs = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([programs, environment.get("PATH", os.defpath)])
    try:
        os.execvpe(chosen.program, [chosen.program, *chosen.arguments], environment)  # noqa: S606
    except OSError as error:
        raise LauncherError(f"{chosen.program} cannot be run ({error.strerror}).") from None

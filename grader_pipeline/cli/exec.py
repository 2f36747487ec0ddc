"""``grader-pipeline exec``: a command of Dagster's on the instance of ``dev`` and its daemon."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from grader_pipeline.local import dagster_home
from grader_pipeline.local.errors import LauncherError
from grader_pipeline.local.processes import MARK
from grader_pipeline.settings import Settings


def execute(settings: Settings, program: str, arguments: Sequence[str]) -> NoReturn:
    """Become the command, in the environment that the launcher gives to Dagster.

    Raises LauncherError when DATABASE_URL is not set or of no use, or there is no such program.
    """
    if settings.database_url is None:
        raise LauncherError(
            "DATABASE_URL is not set, and without it there is a database only while "
            "`grader-pipeline dev` runs. Set it, and start that again."
        )
    database_url = settings.database_url.get_secret_value()
    dagster_home.write_instance(settings, database_url)
    environment = dagster_home.environment(settings, database_url)
    # The command is the user's: a launcher that starts meanwhile must not take it for a leftover.
    del environment[MARK]
    ours = Path(sys.executable).parent
    environment["PATH"] = os.pathsep.join([str(ours), environment.get("PATH", os.defpath)])
    try:
        os.execvpe(program, [program, *arguments], environment)  # noqa: S606
    except OSError as error:
        raise LauncherError(f"{program} cannot be run ({error.strerror}).") from None

"""The demo's world: GRADER_HOME/demo, with the sample API and an embedded PostgreSQL.

Its attempts are made up. They reach no database, sheet or mailbox that the settings name. While no
real API is set, `dev` has its home there too, so that no sample day is among the real ones later.
"""

import os

from grader_pipeline.roles.errors import writable
from grader_pipeline.settings import Settings, WorldSettings, variables

FOLDER = "demo"
"""The demo's GRADER_HOME, in that of the settings."""


def enter() -> None:
    """Make this process, and all that it starts, read the demo's settings only.

    These are GRADER_HOME and GRADER_TIMEZONE. The other variables of settings are removed from
    the environment. The current folder becomes the demo's DAGSTER_HOME, which has no ``.env``.

    Raises LauncherError when that folder cannot be written, ``pydantic.ValidationError`` when one
    of the two settings cannot be used.
    """
    users = WorldSettings()
    demos = users.model_copy(update={"grader_home": users.grader_home / FOLDER})
    with writable(demos.dagster_home):
        demos.dagster_home.mkdir(parents=True, exist_ok=True)
        os.chdir(demos.dagster_home)
    _forget(variables())
    os.environ["GRADER_HOME"] = str(demos.grader_home)
    os.environ["GRADER_TIMEZONE"] = demos.grader_timezone


def use_home(settings: Settings) -> bool:
    """Without a real API and DATABASE_URL, make GRADER_HOME that of the demo. True if it was done.

    The other settings stay.
    """
    if settings.has_real_api or settings.database_url is not None:
        return False
    _forget({"GRADER_HOME"})
    os.environ["GRADER_HOME"] = str(settings.grader_home / FOLDER)
    return True


def _forget(names: set[str]) -> None:
    for name in [name for name in os.environ if name.upper() in names]:
        del os.environ[name]

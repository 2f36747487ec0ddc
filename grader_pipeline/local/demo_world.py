"""The demo's world: GRADER_HOME/demo, with the sample API and an embedded PostgreSQL.

Its attempts are made up. They reach no database, sheet or mailbox that the settings name.
"""

import os

from grader_pipeline.local.home_lock import writable
from grader_pipeline.settings import WorldSettings, variables


def enter() -> None:
    """Make this process, and all that it starts, read the demo's settings only.

    These are GRADER_HOME and GRADER_TIMEZONE. The other variables of settings are removed from
    the environment. The current folder becomes the demo's DAGSTER_HOME, which has no ``.env``.

    Raises LauncherError when that folder cannot be written, ``pydantic.ValidationError`` when one
    of the two settings cannot be used.
    """
    users = WorldSettings()
    demos = users.model_copy(update={"grader_home": users.grader_home / "demo"})
    with writable(demos.dagster_home):
        demos.dagster_home.mkdir(parents=True, exist_ok=True)
        os.chdir(demos.dagster_home)
    for name in [name for name in os.environ if name.upper() in variables()]:
        del os.environ[name]
    os.environ["GRADER_HOME"] = str(demos.grader_home)
    os.environ["GRADER_TIMEZONE"] = demos.grader_timezone

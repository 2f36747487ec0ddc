"""How each role starts."""

from collections.abc import Callable
from pathlib import Path

from grader_pipeline.roles import instance, places
from grader_pipeline.roles.database import wait_for_server
from grader_pipeline.roles.migrate import require_schema
from grader_pipeline.settings import Settings


def run_role(settings: Settings, serve: Callable[[Path], object]) -> None:
    """Make this process a role, and ``serve`` until a signal ends it.

    ``serve`` gets the workspace file. Before, the process gets the environment of Dagster's
    processes, DAGSTER_HOME is written, the database is waited for, and has the schemas of this code
    or newer ones.

    Raises LauncherError when DATABASE_URL is not set, or the database cannot be used.
    """
    database_url = places.required_url(settings)
    instance.use_environment(settings, database_url)
    workspace = instance.write_home(settings)
    wait_for_server(database_url)
    require_schema(settings, database_url)
    serve(workspace)

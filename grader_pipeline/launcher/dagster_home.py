"""What Dagster's processes are told: environment, instance, and where our code is served."""

import os
import shutil
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from grader_pipeline.launcher.processes import MARK
from grader_pipeline.launcher.trouble import LauncherError
from grader_pipeline.settings import Settings

SCHEMA = "dagster"
LOCATION = "grader_pipeline"

THRIFT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""Has a run give back what a batch has taken: an allocator's pools, one a thread, would keep it."""


def environment(settings: Settings, database_url: str) -> dict[str, str]:
    """The environment of all that the launcher starts: secrets travel in it, not in arguments."""
    return {
        **os.environ,
        MARK: str(settings.grader_home),
        "GRADER_HOME": str(settings.grader_home),
        "DATABASE_URL": database_url,
        "DAGSTER_HOME": str(settings.dagster_home),
        "DAGSTER_POSTGRES_URL": instance_url(database_url),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
        **THRIFT,
    }


def instance_url(database_url: str) -> str:
    """DATABASE_URL as Dagster's SQLAlchemy takes it, leading to Dagster's own schema.

    Raises LauncherError when DATABASE_URL cannot be read.
    """
    try:
        known = {name: str(value) for name, value in conninfo_to_dict(database_url).items()}
    except psycopg.ProgrammingError:
        # The driver's text quotes the URL, password and all.
        raise LauncherError(
            "DATABASE_URL cannot be read: write it as postgresql://user:password@host:5432/name."
        ) from None
    user, password = quote(known.pop("user", ""), safe=""), known.pop("password", None)
    if password is not None:
        user += ":" + quote(password, safe="")
    name = quote(known.pop("dbname", ""), safe="")
    known["options"] = f"{known.get('options', '')} -csearch_path={SCHEMA}".strip()
    return f"postgresql+psycopg2://{user}@/{name}?{urlencode(known, quote_via=quote)}"


def write(settings: Settings, database_url: str, code_socket: Path) -> Path:
    """Make DAGSTER_HOME and Dagster's schema; give the path of the workspace file.

    Raises LauncherError when the database cannot be reached or refuses.
    """
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("dagster.yaml"), home / "dagster.yaml")
    workspace = home / "workspace.yaml"
    workspace.write_text(
        "load_from:\n"
        "  - grpc_server:\n"
        f"      socket: {code_socket}\n"
        "      host: localhost\n"
        f"      location_name: {LOCATION}\n"
    )
    try:
        with psycopg.connect(database_url, connect_timeout=10, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    except psycopg.Error as error:
        said = str(error).strip().splitlines()[-1]
        raise LauncherError(f"The database of DATABASE_URL cannot be used: {said}") from None
    return workspace

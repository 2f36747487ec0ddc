"""What Dagster's processes need: their environment, the instance, and the place of the code."""

import json
import os
from importlib import resources
from pathlib import Path
from urllib.parse import quote, urlencode

from grader_pipeline.local.database import connected, parameters
from grader_pipeline.local.home_lock import writable
from grader_pipeline.local.processes import MARK, socket_place
from grader_pipeline.resources.connections import with_keepalive
from grader_pipeline.runs.dagster_schema import APPLICATION, SCHEMA
from grader_pipeline.settings import Settings

LOCATION = "grader_pipeline"
SOCKETS = "dagster"

MALLOC_SETTINGS = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(16 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(64 * 1024 * 1024),
}
"""One heap for all libraries and threads, which keeps freed memory for the next batch.

Several heaps would add up. To return memory to the system after each batch, and to take it again,
would cost a third of the validation. A run returns it once, when its day is validated.
"""


def environment(settings: Settings, database_url: str) -> dict[str, str]:
    """The environment of what the launcher starts. Secrets are in it, and not in arguments."""
    return {
        **os.environ,
        MARK: str(settings.grader_home),
        "GRADER_HOME": str(settings.grader_home),
        "DATABASE_URL": database_url,
        "DAGSTER_HOME": str(settings.dagster_home),
        "DAGSTER_POSTGRES_URL": instance_url(database_url),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        # A backfill waits for a code server that is not there. Otherwise it fails.
        "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1",
        "GRADER_RUN_SOCKET": str(run_socket(settings)),
        "PYTHONUNBUFFERED": "1",
        **MALLOC_SETTINGS,
    }


def run_socket(settings: Settings) -> Path:
    """The path of the run server's socket."""
    return socket_place(settings.grader_home, SOCKETS, os.geteuid()) / "runs.sock"


def instance_url(database_url: str) -> str:
    """DATABASE_URL as an SQLAlchemy URL, for the sessions of ``runs/instance_storage.py``.

    Raises LauncherError when DATABASE_URL cannot be read.
    """
    known = parameters(database_url)
    user, password = quote(known.pop("user", ""), safe=""), known.pop("password", None)
    if password is not None:
        user += ":" + quote(password, safe="")
    name = quote(known.pop("dbname", ""), safe="")
    known = with_keepalive(known) | {"application_name": APPLICATION}
    return f"postgresql+psycopg2://{user}@/{name}?{urlencode(known, quote_via=quote)}"


def write_instance(settings: Settings, database_url: str) -> None:
    """Create DAGSTER_HOME with its dagster.yaml, and Dagster's schema in the database.

    Raises LauncherError when the folder cannot be written or the database cannot be used.
    """
    home = settings.dagster_home
    with writable(home):
        home.mkdir(parents=True, exist_ok=True)
        shipped = resources.files("grader_pipeline.local") / "dagster.yaml"
        (home / "dagster.yaml").write_bytes(shipped.read_bytes())
    with connected(database_url) as db:
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")


def write_workspace(settings: Settings, code_socket: Path) -> Path:
    """Write the workspace file, which names the code server's socket. Gives the file's path."""
    workspace = settings.dagster_home / "workspace.yaml"
    server = {"socket": str(code_socket), "host": "localhost", "location_name": LOCATION}
    workspace.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))
    return workspace

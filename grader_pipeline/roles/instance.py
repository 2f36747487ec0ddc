"""What Dagster's processes need: their environment, DAGSTER_HOME, and the place of the code server.

DAGSTER_HOME is made from the settings when a role starts. Nothing in it has to be kept.
"""

import json
import os
import sys
from importlib import resources
from pathlib import Path
from urllib.parse import quote, urlencode

import yaml

from grader_pipeline.atomic_files import replacing
from grader_pipeline.resources.database_url import with_keepalive
from grader_pipeline.roles.database import parameters
from grader_pipeline.roles.errors import writable
from grader_pipeline.roles.places import code_server, run_socket
from grader_pipeline.runs.dagster_schema import APPLICATION
from grader_pipeline.settings import Settings

LOCATION = "grader_pipeline"
"""The name of the code location, however it is served."""

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
    """The environment of Dagster's processes. Secrets are in it, and not in arguments."""
    return {
        **os.environ,
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


def use_environment(settings: Settings, database_url: str) -> None:
    """Give this process the environment of Dagster's processes.

    The C library and Python read some of it when a process starts. So this replaces the process by
    the same command, if it has not the environment already.
    """
    wanted = environment(settings, database_url)
    if wanted != os.environ:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)  # noqa: S606


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


def write_home(settings: Settings) -> Path:
    """Write dagster.yaml and the workspace file to DAGSTER_HOME. Gives the workspace file's path.

    Several roles of a machine may do so at once. Raises LauncherError when they cannot be written.
    """
    home = settings.dagster_home
    place = code_server(settings)
    server: dict[str, str | int]
    if isinstance(place, Path):
        server = {"socket": str(place), "host": "localhost", "location_name": LOCATION}
    else:
        server = {"host": place[0], "port": place[1], "location_name": LOCATION}
    files = {
        "dagster.yaml": _dagster_yaml(settings),
        "workspace.yaml": json.dumps({"load_from": [{"grpc_server": server}]}).encode(),
    }
    with writable(home):
        home.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            with replacing(home / name) as file:
                file.write(content)
    return home / "workspace.yaml"


def connections_needed(settings: Settings) -> int:
    """How many sessions the database may have to serve at once.

    3 renew the lease, services have 7, each run has 2, and 4 are for peaks.
    """
    runs = yaml.safe_load(_dagster_yaml(settings))["concurrency"]["runs"]
    return 3 + 7 + 2 * int(runs["max_concurrent_runs"]) + 4


def _dagster_yaml(settings: Settings) -> bytes:
    folder = resources.files("grader_pipeline.roles")
    shipped = (folder / "dagster.yaml").read_bytes()
    if settings.grader_broker_url is None:
        return shipped
    replaced = yaml.safe_load((folder / "with_broker.yaml").read_bytes())
    return yaml.safe_dump(yaml.safe_load(shipped) | replaced).encode()

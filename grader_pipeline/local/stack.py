"""All processes around the pipeline, up and running: what `dev` and `demo` have in common."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from grader_pipeline.local.embedded_postgres import embedded_postgres
from grader_pipeline.local.sample_guard import refuse_real_places
from grader_pipeline.local.services import STOP_SECONDS, Services, free_port, require_port
from grader_pipeline.roles import health, instance, places, processes
from grader_pipeline.roles.database import connected, require_connections
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.home_lock import sole_owner
from grader_pipeline.roles.lease import installation_key, sole_installation
from grader_pipeline.roles.migrate import require_schema
from grader_pipeline.roles.processes import MARK
from grader_pipeline.settings import CODE_REFERENCES, SAMPLE_CLIENT, Settings
from grader_pipeline.ui import hosts

UI_SECONDS = 120

CODE_SERVER = "code-server"

COMMAND = ("-m", "grader_pipeline.cli")
"""The command, as arguments of Python."""

_LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    __typename ... on PythonError { className message causes { message } } } } } } }"""

_UNREACHABLE = "DagsterUserCodeUnreachableError"
"""The error that the UI shows while the code server is not there yet."""


@dataclass(frozen=True)
class Stack:
    """What runs: the services, the UI's address, the database, and files that others need."""

    services: Services
    url: str
    database_url: str

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a query to Dagster's GraphQL, as its UI does.

        Raises LauncherError when the answer has errors, httpx.HTTPError when there is no answer.
        """
        answer = httpx.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables or {}},
            # The UI knows this name, whatever address it listens on.
            headers={"Host": "localhost"},
            timeout=60,
            # To read the certificates, which plain HTTP does not need, takes 30 ms of CPU.
            verify=False,  # noqa: S501
        )
        content: dict[str, Any] = answer.raise_for_status().json()
        if errors := content.get("errors"):
            raise LauncherError(f"Dagster refused: {errors[0]['message']}")
        data: dict[str, Any] = content["data"]
        return data

    def is_loaded(self) -> bool:
        """Whether the UI answers and has loaded the code."""
        return (self._location() or {}).get("__typename") == "RepositoryLocation"

    def code_error(self) -> str | None:
        """Why the code cannot be loaded, as the UI shows it."""
        shown = self._location() or {}
        if shown.get("className") in {None, _UNREACHABLE}:
            return None
        causes = [shown, *shown["causes"]]
        return "\n".join(cause["message"].strip() for cause in causes)

    def _location(self) -> dict[str, Any] | None:
        """The code location, or the error in its place, as the UI has it. None: not yet."""
        try:
            entries = self.ask(_LOCATIONS)["workspaceOrError"]["locationEntries"]
        except httpx.HTTPError:
            return None
        found: dict[str, Any] | None = entries[0]["locationOrLoadError"] if entries else None
        return found

    def start_daemon(self) -> None:
        """Start the worker, and the daemon, which runs schedules and sensors and launches runs.

        The daemon's first round begins at once, with all that waits already. A run that it launches
        waits for the run server.
        """
        self.services.start("worker", *COMMAND, "worker")
        self.services.start("daemon", *COMMAND, "daemon")


@contextmanager
def running(settings: Settings, host: str, port: int) -> Iterator[Stack]:
    """Start what is not configured, then Dagster without its daemon. The block's end ends all.

    Raises LauncherError when something does not start, sample days would reach colleagues or
    places of real days, or another installation works on the database.
    """
    refuse_real_places(settings)
    if refused := hosts.refusal(host, settings.grader_ui_hosts):
        raise LauncherError(refused)
    require_port(host, port)
    with ExitStack() as stack:
        stack.enter_context(sole_owner(settings.dagster_home))
        processes.end_leftovers(settings.grader_home, patience=STOP_SECONDS)
        sockets = processes.socket_folder(settings.grader_home, places.SOCKETS, os.geteuid())
        stack.enter_context(sockets)
        if settings.database_url is None:
            database_url = stack.enter_context(embedded_postgres(settings.grader_home))
        else:
            database_url = settings.database_url.get_secret_value()
            with connected(database_url) as db:
                require_connections(db, instance.connections_needed(settings))
        key = installation_key(settings.grader_home)
        has_database = sole_installation(database_url, key, settings.grader_home)
        lease = stack.enter_context(has_database)
        instance.write_home(settings)
        require_schema(settings, database_url)
        environment = {
            **instance.environment(settings, database_url),
            CODE_REFERENCES: "1",
            MARK: str(settings.grader_home),
        }
        sample = None if settings.grader_api_url else free_port()
        if sample is not None:
            environment |= {
                "GRADER_API_URL": f"http://127.0.0.1:{sample}/",
                "GRADER_API_CLIENT": SAMPLE_CLIENT,
                "GRADER_API_CLIENT_KEY": SAMPLE_CLIENT,
            }
        outputs = settings.dagster_home / "output"
        services = stack.enter_context(Services(environment, outputs, lease.require))
        if sample is not None:
            services.start("sample-api", "-m", "grader_pipeline.sample_api", f"--port={sample}")
        up = Stack(services, f"http://{host}:{port}", database_url)
        _serve(up, settings, host, port)
        yield up


def _serve(stack: Stack, settings: Settings, host: str, port: int) -> None:
    """Start the code server and the UI, and wait until the UI shows the code or its error."""
    services = stack.services
    place = places.code_server(settings)
    address = () if isinstance(place, Path) else ("--host", place[0], "--port", str(place[1]))
    services.start(
        CODE_SERVER,
        *(*COMMAND, "code-server", *address),
        probe=partial(health.code_server_trouble, place),
    )
    services.start(
        "ui",
        *(*COMMAND, "ui", "--host", host, "--port", str(port)),
        probe=partial(health.ui_trouble, host, port),
    )
    if not services.wait_until(lambda: stack.is_loaded() or bool(stack.code_error()), UI_SECONDS):
        raise LauncherError(
            f"Dagster's UI, with the code location, is not there after {UI_SECONDS} s. The "
            f"output of the processes is in {services.outputs}."
        )

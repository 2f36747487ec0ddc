"""The code server: it has the code location, for the UI and the daemon. It runs no day."""

import os

from grader_pipeline.roles import instance, places
from grader_pipeline.roles.processes import make_socket_folder
from grader_pipeline.roles.start import run_role
from grader_pipeline.runs.warm_process import run_dagster_api
from grader_pipeline.settings import Settings


def serve(settings: Settings, host: str, port: int | None) -> None:
    """Serve the code until a signal ends this process. Without a port it listens on a socket.

    Code that cannot be imported is served too: the UI then shows why.
    """
    run_role(settings, lambda _: _serve(settings, host, port))


def _serve(settings: Settings, host: str, port: int | None) -> None:
    if port is None:
        make_socket_folder(settings.grader_home, places.SOCKETS, os.geteuid())
        place = ["--socket", str(places.code_socket(settings))]
    else:
        place = ["--host", host, "--port", str(port)]
    # Not `dagster code-server start`: nobody would restart the process that it starts.
    run_dagster_api(
        [
            *("grpc", "--lazy-load-user-code", "--module-name", "grader_pipeline.definitions"),
            *("--location-name", instance.LOCATION, "--log-level", "warning", *place),
        ]
    )

"""Dagster's run launcher for this pipeline: it asks the run server for each thing.

``roles/dagster.yaml`` names it.
"""

import json
import socket
from collections.abc import Sequence
from typing import Any

import dagster as dg
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from grader_pipeline.runs.clean_up import server_tag
from grader_pipeline.runs.launcher import BaseRunLauncher
from grader_pipeline.runs.warm_process import command_of
from grader_pipeline.workers import Workers

_ANSWER_SECONDS = 10
_START_SECONDS = 60


class ForkedRuns(BaseRunLauncher):
    """Starts, stops and checks runs through the run server.

    All of it raises OSError when there is no run server. ``socket`` is the path of its socket.
    """

    def __init__(self, socket: str, **given: Any) -> None:  # noqa: ANN401
        super().__init__(**given)
        self._socket = socket

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """``socket``: the path of the run server's socket."""
        return {"socket": dg.StringSource}

    def launch(self, run: dg.DagsterRun) -> None:
        """Start the run's process."""
        command = command_of(run, self._instance)
        with _patiently_connected(self._socket) as server:
            # Tagged once the server answers: a server that starts fails the runs with its tag.
            self._instance.add_run_tags(run.run_id, server_tag(self._socket, run.run_id))
            _ask(server, "start", run.run_id, command)

    def interrupt(self, run: dg.DagsterRun) -> bool:
        """Interrupt the run's process. False when it has none."""
        with _connected(self._socket) as server:
            return _ask(server, "stop", run.run_id)

    def lives(self, run_id: str) -> bool:
        """Whether the run has a process."""
        with _connected(self._socket) as server:
            return _ask(server, "look", run_id)

    def workers(self) -> Workers | None:
        """The run server of this machine, if it has ever run here."""
        limit = self._instance.get_concurrency_config().run_queue_config
        slots = (limit and limit.max_concurrent_runs) or 0
        try:
            with _connected(self._socket) as server:
                _ask(server, "look", "")
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return Workers(live=0, slots=0, waiting=0)
        return Workers(live=1, slots=slots, waiting=0)


def _connected(path: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    try:
        server.settimeout(_ANSWER_SECONDS)
        server.connect(path)
    except OSError:
        server.close()
        raise
    return server


# A run server that starts imports for seconds before it listens.
_patiently_connected = retry(
    retry=retry_if_exception_type((FileNotFoundError, ConnectionRefusedError)),
    stop=stop_after_delay(_START_SECONDS),
    wait=wait_fixed(0.1),
    reraise=True,
)(_connected)


def _ask(server: socket.socket, do: str, run_id: str, command: Sequence[str] = ()) -> bool:
    """Send one request. Gives whether the run has a process."""
    asked = {"do": do, "run": run_id, "command": list(command)}
    server.sendall(json.dumps(asked).encode() + b"\n")
    with server.makefile() as answer:
        return bool(json.loads(answer.readline())["lives"])

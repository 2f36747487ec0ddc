"""Dagster's run launcher for this pipeline: it asks the run server for each thing.

``roles/dagster.yaml`` names it.
"""

import json
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from grader_pipeline.runs.clean_up import server_tag
from grader_pipeline.runs.warm_process import command_of
from grader_pipeline.workers import Workers

_ANSWER_SECONDS = 10
_START_SECONDS = 60

_LAUNCH_SECONDS = 5
"""So long after the event that it starts, a run is being launched, or was: it takes 0.1 s."""


class ForkedRuns(RunLauncher, ConfigurableClass):
    """Starts, stops and checks runs through the run server."""

    def __init__(self, socket: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._socket = socket
        self._inst_data = inst_data
        self._launching: set[str] = set()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """The part of dagster.yaml that configures this."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """``socket``: the path of the run server's socket."""
        return {"socket": dg.StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        """Make the run launcher that a dagster.yaml configures."""
        return cls(config_value["socket"], inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start the run's process.

        Raises OSError when there is no run server. Dagster then shows it as the run's failure.
        """
        run = context.dagster_run
        command = command_of(run, self._instance)
        self._launching.add(run.run_id)
        try:
            with _patiently_connected(self._socket) as server:
                # Tagged once the server answers: a server that starts fails the runs with its tag.
                self._instance.add_run_tags(run.run_id, server_tag(self._socket, run.run_id))
                _ask(server, "start", run.run_id, command)
        finally:
            self._launching.discard(run.run_id)

    def terminate(self, run_id: str) -> bool:
        """Interrupt the run, which then ends as canceled. False when it has no process."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        with _connected(self._socket) as server:
            return _ask(server, "stop", run_id)

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

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether Dagster's monitoring may ask for the health of runs under way."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the run has a process.

        Raises OSError when there is no run server. The monitoring then asks again later.
        """
        lives = run.run_id in self._launching
        if not lives:
            with _connected(self._socket) as server:
                lives = _ask(server, "look", run.run_id)
        return CheckRunHealthResult(WorkerStatus.RUNNING if lives else WorkerStatus.NOT_FOUND)


def is_lost(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether a run starts, is not being launched, and has no process.

    Raises OSError when there is no run server. The monitoring then asks again later.
    """
    run = record.dagster_run
    age = time.time() - record.update_timestamp.timestamp()
    if run.status is not dg.DagsterRunStatus.STARTING or age < _LAUNCH_SECONDS:
        return False
    if instance.run_launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING:
        return False
    # It may have started, and ended, since its record was read.
    now = instance.get_run_by_id(run.run_id)
    return now is not None and now.status is dg.DagsterRunStatus.STARTING


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

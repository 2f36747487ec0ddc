"""Dagster's run launcher for several hosts: it gives a run to Celery, and asks where it is.

dagster-celery's own fails a run whose state it does not know, never notices a dead worker, and
interrupts a run without a word to Dagster, which then retries it: docs/decisions/0016.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from kombu.exceptions import OperationalError

from grader_pipeline.runs.celery_app import (
    EXECUTE,
    celery_app,
    interrupt_run,
    queued_runs,
    runs_of_workers,
    workers_now,
)
from grader_pipeline.runs.code_files import CODE_TAG, code_hash
from grader_pipeline.workers import Workers

PATIENCE_SECONDS = 20
"""A run is lost when it is in no queue and with no worker that answers, for so long."""

RECONNECT_SECONDS = 40
"""After the broker was away, Celery's workers take up to 30 s to connect again."""

_ASK_SECONDS = 5
"""One question about all runs serves for so long."""

# For a minute, as for the run server.
_PUBLISH = {"max_retries": 30, "interval_start": 0.2, "interval_step": 0.2, "interval_max": 2}


class CeleryRunLauncher(RunLauncher, ConfigurableClass):
    """Starts, stops and checks runs through Celery's broker: GRADER_BROKER_URL."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inst_data = inst_data
        self._app = celery_app()
        self._lost = LostRuns(lambda: queued_runs(self._app) | runs_of_workers(self._app))
        self._launching: set[str] = set()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """The part of dagster.yaml that configures this."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing: the broker is a setting of the pipeline."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        """Make the run launcher that a dagster.yaml configures."""
        return cls(inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Put the run into the queue, with the hash of the code.

        Raises ``kombu.exceptions.OperationalError`` if the broker is away for a minute. Dagster
        then shows it as the run's failure.
        """
        run_id = context.dagster_run.run_id
        self._instance.add_run_tags(run_id, {CODE_TAG: code_hash()})
        self._launching.add(run_id)
        try:
            self._app.send_task(EXECUTE, (run_id,), task_id=run_id, retry_policy=_PUBLISH)
        finally:
            self._launching.discard(run_id)

    def terminate(self, run_id: str) -> bool:
        """Interrupt the run, which then ends as canceled. One that waits is canceled at once.

        Raises ``kombu.exceptions.OperationalError`` if the broker does not answer. The run is
        canceled by the monitoring then.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if run_id in queued_runs(self._app):
            # Its message stays. The worker that takes it finds a run that has ended.
            self._instance.report_run_canceled(run, "Canceled before a worker had taken it.")
        else:
            interrupt_run(self._app, run_id)
        return True

    def workers(self) -> Workers:
        """The workers that answer. None does while the broker is away."""
        try:
            return workers_now(self._app)
        except OperationalError:
            return Workers(live=0, slots=0, waiting=0)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether Dagster's monitoring may ask for the health of runs under way."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the run waits, or is with a worker. A lost one frees its places in pools.

        Not UNKNOWN while nobody knows: Dagster would fail the run.

        Raises ``kombu.exceptions.OperationalError`` if the broker does not answer. The monitoring
        then asks again later.
        """
        if run.run_id in self._launching or not self._lost.is_lost(run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        self._instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        text = f"No worker that answers has had the run for {PATIENCE_SECONDS} s: its host is gone."
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, text)


class LostRuns:
    """Knows since when a run has been nowhere. It asks once for all runs.

    ``ask`` gives the runs that are somewhere.
    """

    def __init__(
        self, ask: Callable[[], set[str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._found: set[str] = set()
        self._asked_at = float("-inf")
        self._trusted_from = float("-inf")
        self._nowhere_since: dict[str, float] = {}

    def is_lost(self, run_id: str) -> bool:
        """Whether all answers of the last PATIENCE_SECONDS lacked the run.

        Raises what ``ask`` raises. After that nothing counts for RECONNECT_SECONDS.
        """
        if self._clock() - self._asked_at >= _ASK_SECONDS:
            self._look()
        if run_id in self._found or self._asked_at < self._trusted_from:
            self._nowhere_since.pop(run_id, None)
            return False
        since = self._nowhere_since.setdefault(run_id, self._asked_at)
        return self._asked_at - since >= PATIENCE_SECONDS

    def _look(self) -> None:
        try:
            self._found = self._ask()
        except Exception:
            self._nowhere_since.clear()
            self._trusted_from = self._clock() + RECONNECT_SECONDS
            raise
        self._asked_at = self._clock()
        # Runs that ended meanwhile are not asked for again.
        forgotten = self._asked_at - 10 * PATIENCE_SECONDS
        self._nowhere_since = {
            run: since
            for run, since in self._nowhere_since.items()
            if run not in self._found and since > forgotten
        }

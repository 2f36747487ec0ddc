"""Dagster's run launcher for several hosts: it gives a run to Celery, and asks where it is.

dagster-celery's own fails a run whose state it does not know, never notices a dead worker, and
interrupts a run without a word to Dagster, which then retries it: docs/decisions/0016.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import dagster as dg
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
from grader_pipeline.runs.launcher import BaseRunLauncher
from grader_pipeline.workers import Workers

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 20
"""A run is lost when it is in no queue and with no worker that answers, for so long."""

RECONNECT_SECONDS = 40
"""After the broker was away, Celery's workers take up to 30 s to connect again."""

_ASK_SECONDS = 5
"""One question about all runs serves for so long."""

# A broker that is away longer gets the run with a look of the monitoring.
_PUBLISH = {"max_retries": 3, "interval_start": 0.2, "interval_step": 0.2}


class CeleryRunLauncher(BaseRunLauncher):
    """Starts, stops and checks runs through Celery's broker: GRADER_BROKER_URL.

    Interrupting and asking raise ``kombu.exceptions.OperationalError`` if the broker does not
    answer.
    """

    LOST = f"No worker that answers has had the run for {PATIENCE_SECONDS} s: its host is gone."

    def __init__(self, **given: Any) -> None:  # noqa: ANN401
        super().__init__(**given)
        self._app = celery_app()
        self._lost = LostRuns(lambda: queued_runs(self._app) | runs_of_workers(self._app))
        # Runs that wait for the broker. With the daemon they are lost, and each is retried.
        self._unsent: set[str] = set()

    def launch(self, run: dg.DagsterRun) -> None:
        """Put the run into the queue, with the hash of the code.

        While the broker does not answer, the run goes on starting. It is sent later.
        """
        self._instance.add_run_tags(run.run_id, {CODE_TAG: code_hash()})
        try:
            self._send(run.run_id)
        except OperationalError as error:
            self._unsent.add(run.run_id)
            said = (
                f"The broker of GRADER_BROKER_URL does not answer ({error}). The run waits for it."
            )
            log.warning("%s Start Redis.", said)
            self._instance.report_engine_event(said, run)

    def _send(self, run_id: str) -> None:
        self._app.send_task(EXECUTE, (run_id,), task_id=run_id, retry_policy=_PUBLISH)

    def interrupt(self, run: dg.DagsterRun) -> bool:
        """Interrupt a run that a worker has. One that waits is canceled at once."""
        if run.run_id in self._unsent or run.run_id in queued_runs(self._app):
            self._unsent.discard(run.run_id)
            # Its message stays. The worker that takes it finds a run that has ended.
            self._instance.report_run_canceled(run, "Canceled before a worker had taken it.")
        else:
            interrupt_run(self._app, run.run_id)
        return True

    def lives(self, run_id: str) -> bool:
        """Whether the run waits, or is with a worker. A lost one frees its places in pools.

        One that the broker has not got is sent.
        """
        if run_id in self._unsent:
            self._send(run_id)
            self._unsent.discard(run_id)
            return True
        if not self._lost.is_lost(run_id):
            return True
        self._instance.event_log_storage.free_concurrency_slots_for_run(run_id)
        return False

    def workers(self) -> Workers:
        """The workers that answer. None does while the broker is away."""
        try:
            return workers_now(self._app)
        except OperationalError:
            return Workers(live=0, slots=0, waiting=0)


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

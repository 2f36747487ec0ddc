"""Celery's worker: it has everything imported and warm, and Celery forks it for each run.

``grader-pipeline worker`` starts it, with GRADER_BROKER_URL. What it shares with the run server is
in ``warm_process.py``; what becomes of a run in the forked process is in ``celery_child.py``.

SIGTERM: the worker takes no more runs, and waits WAIT_SECONDS for those that it has. Then it
interrupts them: they report that they failed, and Dagster retries them on another worker. What is
left after REPORT_SECONDS more is killed. All of it is below the 15 s after which systemd or
compose may kill.
"""

import logging
import os
import re
import signal
import socket
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from celery import bootsteps, signals
from celery.exceptions import WorkerLostError
from celery.worker import state
from celery.worker.control import inspect_command
from kombu.transport import redis

from grader_pipeline import logs
from grader_pipeline.runs import warm_process
from grader_pipeline.runs.celery_app import EXECUTE, RUNS, celery_app
from grader_pipeline.runs.celery_child import take
from grader_pipeline.runs.clean_up import clean_up_after_run
from grader_pipeline.runs.code_files import code_hash
from grader_pipeline.runs.warm_process import CODE_SECONDS, WarmCode

log = logging.getLogger(__name__)

WAIT_SECONDS = 8
REPORT_SECONDS = 4

_CODE = re.compile(r"signal (\d+)|exitcode (-?\d+)")


class Worker:
    """The process that forks: which code it has, and the runs that it cleans up after."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        # A worker that is started again does not answer for the runs of the one before.
        self._name = f"{uuid.uuid4().hex[:8]}@{socket.gethostname()}"
        self._code: WarmCode
        # The processes that clean up after a run, and what is to be cleaned up when all have ended.
        self._cleaning: dict[int, str] = {}
        self._left: list[tuple[str, int]] = []
        self._is_ending = False
        self._begins_anew = False

    def serve(self) -> int:
        """Take runs until a signal ends this process. Gives its exit code."""
        signals.setup_logging.connect(_set_up_logging, weak=False)
        self._code = warm_process.prepare_to_fork()
        # Kept for the runs: each would read all files (10 ms of CPU).
        code_hash()
        redis.Transport.Channel = _Channel
        app = celery_app()
        app.task(self._take, name=EXECUTE)
        app.steps["worker"].add(_every(CODE_SECONDS, self._look))
        inspect_command(name=RUNS)(self._answer)
        signals.task_failure.connect(self._on_failure, weak=False)
        signals.task_revoked.connect(self._on_revoked, weak=False)
        signals.worker_shutting_down.connect(self._on_signal, weak=False)
        signals.worker_process_init.connect(_leave_the_end_to_the_parent, weak=False)
        worker = app.Worker(
            hostname=self._name, concurrency=self._slots, pool="prefork", quiet=True,
            without_gossip=True, without_mingle=True, without_heartbeat=True,
        )  # fmt: skip
        log.info("Worker %s takes up to %d runs at once", self._name, self._slots)
        worker.start()
        signal.alarm(0)
        for run, code in self._left:
            clean_up_after_run(run, code)
        for pid in self._cleaning:
            os.waitpid(pid, 0)
        if self._begins_anew:
            warm_process.begin_anew()
        return int(worker.exitcode or 0)

    def _take(self, run_id: str) -> None:
        take(run_id, self._code, self._name)

    def _answer(self, _state: Any) -> list[str]:  # noqa: ANN401
        return sorted(self._runs())

    def _runs(self) -> set[str]:
        """The runs that this worker has: those it executes, and those it cleans up after."""
        warm_process.ended(self._cleaning)
        requests = {*state.reserved_requests, *state.active_requests}
        return {request.id for request in requests} | {*self._cleaning.values()}

    def _look(self) -> None:
        """Begin anew when the code has changed and no run is left."""
        if not self._runs() and not self._is_ending and self._code.has_changed():
            self._begins_anew = True
            os.kill(os.getpid(), signal.SIGTERM)

    def _on_failure(
        self,
        task_id: str,
        exception: BaseException,
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Clean up after a run whose process died."""
        if isinstance(exception, WorkerLostError):
            found = _CODE.search(str(exception))
            code = 1 if found is None else -int(found[1]) if found[1] else int(found[2])
            self._clean_up(task_id, code)

    def _on_revoked(self, request: Any, terminated: bool, **_: Any) -> None:  # noqa: ANN401
        """Report a run as canceled that was canceled on its way here."""
        if not terminated:
            self._clean_up(request.id, 0)

    def _clean_up(self, run: str, code: int) -> None:
        if self._is_ending:  # with a thread of Celery: not to be forked
            self._left.append((run, code))
        else:
            self._cleaning[warm_process.forked(partial(clean_up_after_run, run, code))] = run

    def _on_signal(self, **_: Any) -> None:  # noqa: ANN401
        """Bound the time in which Celery waits for its runs."""
        if self._is_ending:  # a signal of somebody else, after the own one of _look
            self._begins_anew = False
            return
        self._is_ending = True
        signal.signal(signal.SIGALRM, lambda *_: self._interrupt(signal.SIGINT))
        signal.alarm(WAIT_SECONDS)

    def _interrupt(self, number: int) -> None:
        for request in tuple(state.active_requests):
            with suppress(ProcessLookupError):
                os.kill(request.worker_pid, number)
        if number == signal.SIGINT:
            signal.signal(signal.SIGALRM, lambda *_: self._interrupt(signal.SIGKILL))
            signal.alarm(REPORT_SECONDS)


class _Channel(redis.Channel):
    """A channel that leaves the runs under way alone when the broker goes away.

    kombu would put them back, and confirm their end, through the connection that it has closed. It
    fails to, and the worker ends (celery 5.7, kombu 5.7). Redis hands them out again after
    VISIBILITY_SECONDS, when they have ended.
    """

    do_restore = False

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Confirm that a run has ended."""
        if not self.closed:
            super().basic_ack(delivery_tag, multiple)  # type: ignore[no-untyped-call]


def _every(seconds: float, look: Callable[[], None]) -> type[bootsteps.StartStopStep]:
    """A part of Celery's worker that calls a function again and again."""

    class Look(bootsteps.StartStopStep):  # type: ignore[misc]
        requires = ("celery.worker.components:Timer",)

        def start(self, parent: Any) -> None:  # noqa: ANN401
            parent.timer.call_repeatedly(seconds, look)

    return Look


def _leave_the_end_to_the_parent(**_: Any) -> None:  # noqa: ANN401
    # systemd sends SIGTERM to all processes of a unit. A run may need WAIT_SECONDS to end well.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _set_up_logging(**_: Any) -> None:  # noqa: ANN401
    """Celery's warnings go where the pipeline's lines go, and no secret with them."""
    for name in ("celery", "kombu"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.addHandler(logs.handler())

"""What a process that Celery has forked does with the one run that it executes."""

import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg
from celery import platforms

from grader_pipeline.runs import warm_process
from grader_pipeline.runs.clean_up import clean_up_after_run
from grader_pipeline.runs.code_files import CODE_TAG, code_hash
from grader_pipeline.runs.warm_process import WarmCode

WORKER_TAG = "grader/worker"
"""Tag of a run that a worker has taken: the worker's name, with its host."""

_NO_RETRY = {"dagster/max_retries": "0"}


def take(run_id: str, code: WarmCode, worker: str) -> None:
    """Execute a run, if it still is to be started, and clean up after one that failed."""
    with _interruptible():
        ended_with = warm_process.exit_code(lambda: _execute(run_id, code, worker))
    if ended_with != 0:
        clean_up_after_run(run_id, ended_with)


def _execute(run_id: str, code: WarmCode, worker: str) -> None:
    """Execute a run. Raises SystemExit with the exit code of its process."""
    command = _accepted(run_id, worker)
    if not command:
        return
    if code.can_execute():
        warm_process.run_dagster_api(command)
    raise SystemExit(_execute_anew(command))


def _accepted(run_id: str, worker: str) -> list[str]:
    """The command that executes a run. Empty if this process must not execute it.

    The broker may deliver a run twice: after it was away, or VISIBILITY_SECONDS after the worker
    that had it died. Only a run that nobody has started is executed.
    """
    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        if run is None or run.status is not dg.DagsterRunStatus.STARTING:
            if run and run.status is dg.DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, "Canceled before it had started.")
            return []
        if run.tags.get(CODE_TAG) != code_hash():
            # The same worker would take the retry: it is the one that is idle.
            instance.add_run_tags(run_id, _NO_RETRY)
            instance.report_run_failed(run, _refusal(socket.gethostname()))
            return []
        instance.add_run_tags(run_id, {WORKER_TAG: worker})
        return warm_process.command_of(run, instance)


def _refusal(host: str) -> str:
    return (
        f"The worker on host {host} refuses the run: its files (the package, its SQL, and those of "
        "GRADER_REPORTS) differ from those of the daemon that launched the run. Give all hosts the "
        "same version and the same GRADER_REPORTS, start the worker again, and run the day again."
    )


def _execute_anew(command: Sequence[str]) -> int:
    """Execute a run in another process, whose interrupts it gets. Gives its exit code."""
    with subprocess.Popen(  # noqa: S603
        warm_process.execute_anew(command),
        preexec_fn=lambda: platforms.set_pdeathsig("SIGKILL"),  # noqa: PLW1509
    ) as process:
        signal.signal(signal.SIGINT, lambda *_: process.send_signal(signal.SIGINT))
        return process.wait()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGINT interrupt a run. Celery's processes ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

"""A process that has the code imported and warm, and that is forked for each run.

The run server and Celery's worker share this. They differ in who forks. The process has no thread
and no connection of the pipeline before it is forked.

A run is started the usual way if the code has changed since the import, or could not be imported.
It then imports the code as it is, and Dagster shows what is wrong with it.
"""

import gc
import importlib
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._grpc.types import ExecuteRunArgs

from grader_pipeline.runs import check_targets, instance_storage, waits
from grader_pipeline.runs.code_files import code_files
from grader_pipeline.startup import prepare_process

CODE_SECONDS = 10
"""How often an idle process looks whether the code has changed. A run that starts looks too."""


@dataclass(frozen=True)
class WarmCode:
    """The code as this process imported it, and whether it could."""

    files: dict[Path, int]
    is_imported: bool

    def has_changed(self) -> bool:
        """Whether a file has changed since the import."""
        return self.files != code_files()

    def can_execute(self) -> bool:
        """Whether this process has the code as it is now."""
        return self.is_imported and not self.has_changed()


def prepare_to_fork() -> WarmCode:
    """Set this process up, and import and warm up the code."""
    prepare_process()
    waits.sleep_while_a_pool_is_full()
    check_targets.look_up_once()
    instance_storage.commit_without_waiting()
    code = WarmCode(code_files(), _import())
    # A collection writes to all objects, and memory that is written to is no longer shared.
    gc.freeze()
    return code


def command_of(run: dg.DagsterRun, instance: dg.DagsterInstance) -> list[str]:
    """The arguments of ``dagster api`` that execute the run.

    Raises ``dagster.DagsterInvariantViolationError`` if the run does not name its code.
    """
    origin = run.job_code_origin
    if origin is None:
        raise dg.DagsterInvariantViolationError(f"Run {run.run_id} does not name its code.")
    arguments = ExecuteRunArgs(
        origin, run.run_id, instance.get_ref(), set_exit_code_on_failure=True
    ).get_command_args()
    return list(arguments[arguments.index("api") + 1 :])


def run_dagster_api(command: Sequence[str]) -> None:
    """Run ``dagster api`` in this process, with what it has imported. Raises SystemExit at its end.

    With the arguments of :func:`command_of` it executes the run.
    """
    sys.argv[1:] = ["api", *command]
    runpy.run_module("dagster", run_name="__main__", alter_sys=True)


def execute_anew(command: Sequence[str]) -> list[str]:
    """The command line that executes a run in a process that imports the code as it is."""
    return [sys.executable, "-m", "dagster", "api", *command]


def begin_anew() -> None:
    """Become the same program again, which imports the changed code."""
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def exit_code(work: Callable[[], object]) -> int:
    """Do some work. Gives the code that a process ends with whose whole work this is."""
    try:
        work()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def forked(work: Callable[[], object]) -> int:
    """Fork a process that does some work and ends. Gives its pid."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = exit_code(work)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ended(processes: dict[int, str]) -> list[tuple[str, int]]:
    """Remove the processes that have ended. Gives the run and the exit code of each."""
    found = []
    for pid in list(processes):
        known, status = os.waitpid(pid, os.WNOHANG)
        if known:
            found.append((processes.pop(pid), os.waitstatus_to_exitcode(status)))
    return found


def _import() -> bool:
    """Import the code and warm it up. False if it cannot be imported."""
    try:
        importlib.import_module("grader_pipeline.definitions")
        warm = importlib.import_module("grader_pipeline.runs.warm_up")
    except Exception:
        traceback.print_exc()
        return False
    try:
        warm.warm_up()
    except Exception:
        # Without the warm-up runs only take longer.
        traceback.print_exc()
    return True

"""Starts the runs: a process that has everything imported and warm, and forks itself for each run.

``python -m grader_pipeline.runs.run_server SOCKET``. Started the usual way, a run imports for
seconds what it then needs for a second; days by the dozen would mostly import. This process runs
nothing itself, and has no connection and no thread of ours, so that it can fork at any moment.

It is asked through its socket, a line of JSON each way: ``{"do": "start", "run": id, "command":
[…]}``, with what follows ``dagster api`` to execute the run, or ``stop`` or ``look``. The answer's
``lives`` says whether the run has a process.

A run of code that has changed since it was imported, or could not be, is started the usual way,
which imports what there is and has Dagster show what is wrong with it.
"""

import gc
import importlib
import json
import os
import signal
import socketserver
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._cli.api import api_cli
from dagster._utils import get_run_crash_explanation

from grader_pipeline.runs import waits
from grader_pipeline.runs.pools import prepare
from grader_pipeline.settings import Settings
from grader_pipeline.statements import SQL

ROUND_SECONDS = 0.2
"""How soon the end of a run's process is seen."""


def main() -> int:
    """Prepare the instance, then serve until a signal ends this process.

    The keeper ends its runs.
    """
    path = sys.argv[1]
    waits.sleep_while_a_pool_is_full()
    code = dict(_code())
    is_imported = _import()
    _, status = os.waitpid(_forked(lambda: prepare(path)), 0)
    if status != 0:
        return 1
    Path(path).unlink(missing_ok=True)
    # What the forks share stays shared only while nobody writes there.
    gc.freeze()
    with RunServer(path, code, is_imported=is_imported) as server:
        server.serve_forever(ROUND_SECONDS)
    return 0


class RunServer(socketserver.UnixStreamServer):
    """The socket, and the processes of the runs that were started through it."""

    def __init__(self, path: str, code: dict[Path, int], *, is_imported: bool) -> None:
        self._code = code
        self._is_imported = is_imported
        self._runs: dict[int, str] = {}
        super().__init__(path, _Request)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked, and say whether the run has a process."""
        run = asked["run"]
        if asked["do"] == "start":
            self._runs[_forked(partial(self._execute, asked["command"]))] = run
        pids = [pid for pid, known in self._runs.items() if known == run]
        if asked["do"] == "stop":
            for pid in pids:
                os.kill(pid, signal.SIGINT)
        return {"lives": bool(pids)}

    def service_actions(self) -> None:
        """See which runs are over, and import changed code once there is none."""
        for pid, code in _ended():
            run = self._runs.pop(pid, None)
            if run is not None and code != 0:
                _forked(partial(bury, run, code))
        if not self._runs and self._has_changed():
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606

    def _execute(self, command: list[str]) -> None:
        if not self._is_imported or self._has_changed():
            os.execv(sys.executable, [sys.executable, "-m", "dagster", "api", *command])  # noqa: S606
        api_cli.main(command, standalone_mode=False)

    def _has_changed(self) -> bool:
        return self._code != dict(_code())


class _Request(socketserver.StreamRequestHandler):
    server: RunServer
    timeout = 5

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        self.wfile.write(json.dumps(self.server.answer(asked)).encode() + b"\n")


def bury(run_id: str, code: int) -> None:
    """Clear up after a run that failed, was interrupted, or whose process died.

    The places that it held in pools would stay taken for a minute, and one that died without a
    word would count as under way for ever.
    """
    with dg.DagsterInstance.get() as instance:
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return
        said = get_run_crash_explanation(f"The process of run {run_id}", code)
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, said)
        else:
            instance.report_run_failed(run, said)


def _import() -> bool:
    """Import what runs need, and have them find it warm; whether it could be imported."""
    try:
        warm = importlib.import_module("grader_pipeline.runs.warm_up")
    except Exception:
        traceback.print_exc()
        return False
    try:
        warm.warm_up()
    except Exception:
        # A cold start costs time and nothing else.
        traceback.print_exc()
    return True


def _forked(work: Callable[[], object]) -> int:
    """Have a copy of this process do some work and end; gives its pid."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _ended() -> Iterator[tuple[int, int]]:
    """The pids of copies that have ended, with their exit codes."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def _code() -> Iterator[tuple[Path, int]]:
    """The files that a run imports or reads as reports, with the time of their last change."""
    for folder, pattern in _folders():
        for path in folder.glob(pattern):
            yield path, path.stat().st_mtime_ns


@cache
def _folders() -> list[tuple[Path, str]]:
    """The folders of the code, each with the pattern of its files."""
    package, further = Path(str(resources.files("grader_pipeline"))), Settings().grader_reports
    ours = [(package, "**/*.py"), (SQL, "**/*.sql")]
    return [*ours, (further, "*.sql")] if further else ours


if __name__ == "__main__":
    sys.exit(main())

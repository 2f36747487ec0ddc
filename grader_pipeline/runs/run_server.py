"""The run server: it has everything imported and warm, and forks itself for each run.

``python -m grader_pipeline.runs.run_server SOCKET``. It has no connection and no thread of the
pipeline, so it can fork at any moment. docs/decisions/0005 has what this is worth.

A request is one line of JSON, and so is the answer: ``{"do": "start", "run": id, "command": […]}``
with the arguments of ``dagster api`` that execute the run, or ``stop`` or ``look``. The answer's
``lives`` says whether the run has a process.

A run is started the usual way if the code has changed since the import, or could not be imported.
It then imports the code as it is, and Dagster shows what is wrong with it.
"""

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import socketserver
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from grader_pipeline.runs import waits
from grader_pipeline.runs.clean_up import clean_up_after_run, fail_interrupted_runs
from grader_pipeline.runs.code_files import code_files
from grader_pipeline.startup import prepare_process

CODE_SECONDS = 10
"""How often the server looks whether the code has changed. A run that starts looks too."""


def main() -> int:
    """Prepare the instance, then serve until a signal ends this process.

    The keeper then ends its runs.
    """
    path = sys.argv[1]
    prepare_process()
    waits.sleep_while_a_pool_is_full()
    code = code_files()
    is_imported = _import()
    _, status = os.waitpid(_forked(partial(_prepare, path)), 0)
    if status != 0:
        return 1
    Path(path).unlink(missing_ok=True)
    # A collection writes to all objects, and memory that is written to is no longer shared.
    gc.freeze()
    with RunServer(path, code, is_imported=is_imported) as server:
        while True:
            server.serve_round()


class RunServer(socketserver.UnixStreamServer):
    """Listens on the socket, and knows the processes that it forked."""

    def __init__(self, path: str, code: dict[Path, int], *, is_imported: bool) -> None:
        self._code = code
        self._is_imported = is_imported
        # The run of each forked process: that of the run, and one that cleans up after it.
        self._processes: dict[int, str] = {}
        self._cleaning: dict[int, str] = {}
        super().__init__(path, _Request)
        # Python writes a byte to the second socket for each child that ends.
        self._ended, self._note = socket.socketpair()
        for end in (self._ended, self._note):
            end.setblocking(False)
        signal.set_wakeup_fd(self._note.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self._waiting = selectors.DefaultSelector()
        for readable in (self, self._ended):
            self._waiting.register(readable, selectors.EVENT_READ)

    def serve_round(self) -> None:
        """Answer the requests and clean up after the runs that there are. Wait if there is none."""
        for key, _ in self._waiting.select(CODE_SECONDS):
            if key.fileobj is self:
                self.handle_request()
            else:
                self._ended.recv(4096)
        self._clean_up()

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Carry out a request. ``lives`` of the answer: whether the run has a process."""
        run = asked["run"]
        if asked["do"] == "start":
            self._processes[_forked(partial(self._execute, asked["command"]))] = run
        pids = [pid for pid, known in self._processes.items() if known == run]
        if asked["do"] == "stop":
            for pid in pids:
                os.kill(pid, signal.SIGINT)
        # The monitoring does not report a run that is just being reported.
        return {"lives": bool(pids) or (asked["do"] == "look" and run in self._cleaning.values())}

    def _clean_up(self) -> None:
        """Clean up after runs that have ended. Import changed code once no run is left."""
        for run, status in _ended(self._processes):
            if status != 0:
                code = os.waitstatus_to_exitcode(status)
                self._cleaning[_forked(partial(clean_up_after_run, run, code))] = run
        _ended(self._cleaning)
        if not self._processes and not self._cleaning and self._code != code_files():
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606

    def _execute(self, command: list[str]) -> None:
        if not self._is_imported or self._code != code_files():
            os.execv(sys.executable, [sys.executable, "-m", "dagster", "api", *command])  # noqa: S606
        # The same program, in this process.
        sys.argv[1:] = ["api", *command]
        runpy.run_module("dagster", run_name="__main__", alter_sys=True)


class _Request(socketserver.StreamRequestHandler):
    server: RunServer
    timeout = 5

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        self.wfile.write(json.dumps(self.server.answer(asked)).encode() + b"\n")


def _prepare(run_socket: str) -> None:
    """Bring Dagster's instance into the state that runs start from."""
    with dg.DagsterInstance.get() as instance:
        fail_interrupted_runs(instance, run_socket)


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


def _ended(processes: dict[int, str]) -> list[tuple[str, int]]:
    """Remove the processes that have ended. Gives the run and the status of each."""
    ended = []
    for pid in list(processes):
        known, status = os.waitpid(pid, os.WNOHANG)
        if known:
            ended.append((processes.pop(pid), status))
    return ended


def _forked(work: Callable[[], object]) -> int:
    """Fork a process that does some work and ends. Gives its pid."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())

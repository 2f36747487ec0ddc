"""The run server: it has everything imported and warm, and forks itself for each run.

``python -m grader_pipeline.runs.run_server SOCKET``. It has no connection and no thread of the
pipeline, so it can fork at any moment. docs/decisions/0005 has what this is worth.

A request is one line of JSON, and so is the answer: ``{"do": "start", "run": id, "command": […]}``
with the arguments of ``dagster api`` that execute the run, or ``stop`` or ``look``. The answer's
``lives`` says whether the run has a process.

What it shares with Celery's worker is in ``warm_process.py``.
"""

import json
import os
import selectors
import signal
import socket
import socketserver
import sys
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from grader_pipeline.runs import warm_process
from grader_pipeline.runs.clean_up import clean_up_after_run, fail_interrupted_runs
from grader_pipeline.runs.warm_process import CODE_SECONDS, WarmCode


def main() -> int:
    """Prepare the instance, then serve until a signal ends this process.

    The keeper then ends its runs.
    """
    path = sys.argv[1]
    code = warm_process.prepare_to_fork()
    _, status = os.waitpid(warm_process.forked(partial(_prepare, path)), 0)
    if status != 0:
        return 1
    Path(path).unlink(missing_ok=True)
    with RunServer(path, code) as server:
        while True:
            server.serve_round()


class RunServer(socketserver.UnixStreamServer):
    """Listens on the socket, and knows the processes that it forked."""

    def __init__(self, path: str, code: WarmCode) -> None:
        self._code = code
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
            execute = partial(self._execute, asked["command"])
            self._processes[warm_process.forked(execute)] = run
        pids = [pid for pid, known in self._processes.items() if known == run]
        if asked["do"] == "stop":
            for pid in pids:
                os.kill(pid, signal.SIGINT)
        # The monitoring does not report a run that is just being reported.
        return {"lives": bool(pids) or (asked["do"] == "look" and run in self._cleaning.values())}

    def _clean_up(self) -> None:
        """Clean up after runs that have ended. Import changed code once no run is left."""
        for run, code in warm_process.ended(self._processes):
            if code != 0:
                self._cleaning[warm_process.forked(partial(clean_up_after_run, run, code))] = run
        warm_process.ended(self._cleaning)
        if not self._processes and not self._cleaning and self._code.has_changed():
            warm_process.begin_anew()

    def _execute(self, command: list[str]) -> None:
        if not self._code.can_execute():
            os.execv(sys.executable, warm_process.execute_anew(command))  # noqa: S606
        warm_process.run_dagster_api(command)


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


if __name__ == "__main__":
    sys.exit(main())

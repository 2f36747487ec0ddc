"""Workers of several hosts, as processes of this one: each has a GRADER_HOME of its own."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from grader_pipeline.local.stack import COMMAND
from grader_pipeline.runs.celery_app import celery_app
from grader_pipeline_tests.waiting import eventually


@dataclass
class Worker:
    """A worker: its process, its home, and its name, which it has from this start on."""

    process: subprocess.Popen[bytes]
    home: Path
    name: str = ""

    def output(self) -> str:
        """All that it wrote, its lines of the log too."""
        files = [self.home / "output.txt", self.home / "logs" / "app_log.txt"]
        return "".join(file.read_text() for file in files if file.exists())

    def children(self) -> list[psutil.Process]:
        """What Celery has forked: as many as there are slots."""
        return psutil.Process(self.process.pid).children()

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        """End it at once, with all that it started, as a host that loses its power."""
        for process in [psutil.Process(self.process.pid), *self.family()]:
            process.kill()
        self.process.wait()


def names() -> set[str]:
    """The names of the workers that answer."""
    app = celery_app()
    with app.connection_for_write() as connection:  # one that is kept does not survive the broker
        answers = app.control.ping(timeout=1, connection=connection)
    return {name for answer in answers for name in answer}


@contextmanager
def worker(
    environment: Mapping[str, str],
    slots: int = 1,
    home: Path | None = None,
    **settings: str,
) -> Iterator[Worker]:
    """Run a worker, up and ready, in the environment of a deployment with these settings."""
    with ExitStack() as exits:
        if home is None:
            home = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="grader-worker-")))
        others = names()
        own = {**environment, "GRADER_HOME": str(home), **settings}
        with (home / "output.txt").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *COMMAND, "worker", "--slots", str(slots)],
                env=own, cwd=home, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        started = Worker(process, home)
        try:
            assert eventually(lambda: bool(names() - others), 60), started.output()
            (started.name,) = names() - others
            yield started
        finally:
            if process.poll() is None:
                started.kill()

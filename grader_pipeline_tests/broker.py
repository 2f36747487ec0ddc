"""Redis as Celery's broker: a real server, with a password and a file that survives it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from grader_pipeline.local.services import free_port
from grader_pipeline_tests.waiting import eventually

PASSWORD = "a-password-of-the-broker"

BESIDE = {
    "DATABASE_URL": "postgresql://school@db.school.example/grader",
    "GRADER_STORAGE": "s3://school/grader",
    "GOOGLE_SHEETS_CREDENTIALS": "adc",
    "SMTP_HOST": "smtp.school.example",
}
"""What has to be set beside a broker, for tests that ask none of it."""


@dataclass
class Broker:
    """A redis-server. ``ask`` is a client of it. ``on`` begins a command on another host."""

    program: str
    folder: Path
    port: int
    address: str
    on: Sequence[str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@{self.address}:{self.port}/0"

    @property
    def ask(self) -> redis.Redis:
        return redis.Redis(self.address, self.port, password=PASSWORD)

    def start(self) -> None:
        options = {
            "port": str(self.port), "bind": self.address, "requirepass": PASSWORD, "save": "",
            "appendonly": "yes", "maxmemory-policy": "noeviction", "dir": str(self.folder),
        }  # fmt: skip
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        with (self.folder / "output.txt").open("ab") as output:
            self.process = subprocess.Popen([*self.on, self.program, *arguments], stdout=output)
        assert eventually(self.answers, 20)

    def answers(self) -> bool:
        try:
            return bool(self.ask.ping())
        except redis.exceptions.ConnectionError:
            return False

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


@contextmanager
def broker(address: str = "127.0.0.1", on: Sequence[str] = ()) -> Iterator[Broker]:
    """Run Redis. Its queue is in a file, as in a deployment."""
    if not (program := shutil.which("redis-server")):
        pytest.skip("redis-server is not installed")
    with tempfile.TemporaryDirectory(prefix="grader-redis-") as folder:
        server = Broker(program, Path(folder), free_port(), address, on)
        server.start()
        try:
            yield server
        finally:
            server.kill()

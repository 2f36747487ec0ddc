"""``psql``: into the database that is in use, and no password in the list of processes."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import pytest

from grader_pipeline.cli import psql
from grader_pipeline.local.embedded_postgres import embedded_postgres

Run = Callable[..., subprocess.CompletedProcess[str]]
PASSWORD = 'it\'s a "secret" p@ss/word\\ '


@pytest.fixture
def with_password(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """DATABASE_URL has a password, a search_path, and a part that libpq has no variable for."""
    host = database_url.partition("host=")[2]
    with psycopg.connect(database_url) as db:
        name = db.info.dbname
        db.execute("CREATE SCHEMA school")
    url = f"postgresql://postgres:{quote(PASSWORD, safe='')}@/{name}?host={host}&keepalives=1"
    monkeypatch.setenv("DATABASE_URL", f"{url}&options=-csearch_path%3Dschool")
    yield url


def test_a_session_is_in_the_database_of_database_url_with_its_search_path_and_utc(
    with_password: str, run: Run
) -> None:
    query = "SELECT current_database(), current_schema(), current_setting('TimeZone')"
    done = run("psql", "-X", "-At", "-c", query)
    assert done.returncode == 0, done.stderr
    name = with_password.partition("@/")[2].partition("?")[0]
    assert done.stdout == f"{name}|school|UTC\n"


def test_the_exit_code_is_that_of_psql(database_url: str, run: Run) -> None:
    assert run("psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", "SELECT 1 / 0").returncode == 1
    assert run("psql", "--no-such-option").returncode == 1


def test_no_argument_of_a_process_has_the_password(
    with_password: str, started: Callable[..., subprocess.Popen[str]]
) -> None:
    session = started(
        sys.executable, "-m", "grader_pipeline.cli", "psql", "-X", "-At",
        "-c", "SELECT 'begun'", "-c", "SELECT pg_sleep(30)",
    )  # fmt: skip
    assert session.stdout is not None
    assert "begun\n" in iter(session.stdout.readline, "")
    programs = [psutil.Process(session.pid), *psutil.Process(session.pid).children(recursive=True)]
    assert any(program.name() == "psql" for program in programs)
    arguments = [word for program in programs for word in program.cmdline()]
    assert not [word for word in arguments if "secret" in word]
    assert any("keepalives=1" in word for word in arguments)
    for program in programs:
        program.kill()


def test_the_embedded_database_is_used_while_another_process_runs_it_and_otherwise_started(
    home: Path, run: Run, real_api: None
) -> None:
    with embedded_postgres(home):
        done = run("psql", "-X", "-c", "CREATE TABLE note AS SELECT 'kept' AS text")
        assert done.returncode == 0, done.stderr
    done = run("psql", "-X", "-At", "-c", "TABLE note")
    assert (done.returncode, done.stdout) == (0, "kept\n")


def test_the_psql_of_the_embedded_package_serves_if_there_is_no_other(
    database_url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psql.shutil, "which", lambda _: None)
    done = run("psql", "-X", "-At", "-c", "SELECT 1")
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    monkeypatch.setattr(psql, "bundled_program", lambda _: None)
    done = run("psql", "-X", "-At", "-c", "SELECT 1")
    assert done.returncode == 1
    assert "psql is not installed. Install PostgreSQL's client" in done.stderr


def test_an_interrupt_is_left_to_psql(database_url: str, home: Path) -> None:
    session = subprocess.Popen(
        [sys.executable, "-m", "grader_pipeline.cli", "psql", "-X", "-At"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdin.write("SELECT 'begun';\nSELECT pg_sleep(60);\nSELECT 'goes on';\n")
        session.stdin.flush()
        assert "begun\n" in iter(session.stdout.readline, "")
        time.sleep(0.5)
        for program in (psutil.Process(session.pid), *psutil.Process(session.pid).children()):
            program.send_signal(2)
        said = session.communicate(timeout=30)[0]
    finally:
        session.kill()
    # Without a terminal psql ends then. The command gives its exit code without a word.
    assert "Traceback" not in said
    assert "Stopped." not in said

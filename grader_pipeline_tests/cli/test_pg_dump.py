"""``pg_dump``: of the database that is in use, by a program that is no older than its server."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from grader_pipeline.cli import pg_dump
from grader_pipeline.local.embedded_postgres import embedded_postgres

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_embedded_database_is_dumped_by_its_own_program_while_it_runs_and_otherwise(
    home: Path, run: Run, real_api: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Debian's may be older than the embedded server, and would dump nothing.
    monkeypatch.setattr(pg_dump.shutil, "which", lambda _: pytest.fail("another program is used"))
    with embedded_postgres(home) as url:
        with psycopg.connect(url) as db:
            db.execute("CREATE TABLE note AS SELECT 'kept' AS text")
        running = run("pg_dump", "-f", str(tmp_path / "running.sql"))
        assert running.returncode == 0, running.stderr
    stopped = run("pg_dump", "-f", str(tmp_path / "stopped.sql"))
    assert stopped.returncode == 0, stopped.stderr
    for name in ("running.sql", "stopped.sql"):
        assert "COPY public.note (text) FROM stdin;\nkept\n" in (tmp_path / name).read_text()


@pytest.mark.parametrize("database_url", ["debian_postgres"], indirect=True)
def test_a_dump_of_database_url_is_loaded_by_psql_and_a_failure_is_the_exit_code(
    database_url: str, run: Run, tmp_path: Path
) -> None:
    with psycopg.connect(database_url) as db:
        db.execute("CREATE TABLE note AS SELECT 'kept' AS text")
    file = str(tmp_path / "grader.sql")
    done = run("pg_dump", "-f", file)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(database_url) as db:
        db.execute("DROP TABLE note")
    loaded = run("psql", "-X", "-1", "-v", "ON_ERROR_STOP=1", "-f", file)
    assert loaded.returncode == 0, loaded.stderr
    assert run("psql", "-X", "-At", "-c", "TABLE note").stdout == "kept\n"
    assert run("pg_dump", "-f", str(tmp_path / "none" / "grader.sql")).returncode == 1


def test_a_folder_of_another_postgresql_is_refused_with_the_steps_that_mend_it(
    home: Path, run: Run, real_api: None
) -> None:
    with embedded_postgres(home):
        pass
    (home / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    done = run("psql", "-c", "SELECT 1")
    assert done.returncode == 1
    assert "was made by PostgreSQL 17, and this is 18" in done.stderr
    steps = ("grader-pipeline pg_dump -f grader.sql", "move that folder away", "-f grader.sql")
    assert all(step in done.stderr for step in steps)

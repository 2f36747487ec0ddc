"""``exec`` runs a command on the instance of `dev`, or says why it cannot."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from grader_pipeline_tests.processes import COMMAND


def run_exec(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "exec", *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def test_exec_needs_a_database_of_the_users_own() -> None:
    done = run_exec("true")
    assert done.returncode == 1
    assert "DATABASE_URL is not set" in done.stderr


@pytest.mark.usefixtures("database_url")
def test_exec_says_that_there_is_no_such_program() -> None:
    done = run_exec("no-such-program")
    assert done.returncode == 1
    assert "no-such-program cannot be run (No such file" in done.stderr


def test_exec_puts_a_run_of_dagsters_own_command_among_those_of_the_launcher(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its options reach the command, relative homes do no harm, and no launcher would end it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADER_HOME", "home")
    (tmp_path / "tiny.py").write_text(
        "import os\nimport dagster as dg\n"
        "@dg.asset\ndef tiny() -> None:\n    assert 'GRADER_LAUNCHER_HOME' not in os.environ\n"
    )
    done = run_exec("dagster", "asset", "materialize", "--select", "*", "-f", "tiny.py")
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(database_url) as db:
        assert db.execute("SELECT status FROM dagster.runs").fetchall() == [("SUCCESS",)]

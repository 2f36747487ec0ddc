"""What the command refuses to begin, and what it says to do instead."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from grader_pipeline.cli.command import main
from grader_pipeline.local.errors import LauncherError
from grader_pipeline.local.sample_guard import refuse_real_attempts
from grader_pipeline.settings import SAMPLE_CLIENT, Settings
from grader_pipeline_tests.processes import COMMAND

ATTEMPT_TABLE = "CREATE TABLE grader (id int)"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("command", ["dev", "demo"])
@pytest.mark.parametrize("name", ["SMTP_HOST", "GOOGLE_SHEETS_CREDENTIALS", "GOOGLE_SHEETS_ID"])
@pytest.mark.parametrize("client", [None, SAMPLE_CLIENT])
def test_made_up_numbers_are_kept_from_colleagues(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str, client: str | None
) -> None:
    monkeypatch.setenv(name, "127.0.0.1")
    if client:
        monkeypatch.setenv("GRADER_API_URL", "http://127.0.0.1:1/")
        monkeypatch.setenv("GRADER_API_CLIENT", client)
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", client)
    done = run(command)
    assert done.returncode == 1
    assert "colleagues would get them. Unset these" in done.stderr
    assert not (home / "dagster").exists()


def test_the_demo_leaves_a_database_with_attempts_alone(database_url: str, home: Path) -> None:
    refuse_real_attempts(Settings())
    with psycopg.connect(database_url) as db:
        db.execute(ATTEMPT_TABLE)
        db.commit()
        refuse_real_attempts(Settings())
        db.execute("INSERT INTO grader VALUES (1)")
    done = run("demo")
    assert done.returncode == 1
    assert "Unset DATABASE_URL for the demo, or name an empty database" in done.stderr
    assert not (home / "dagster").exists()


def test_a_database_that_is_down_is_told_by_its_cause_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:s3cret-pass@127.0.0.1:1/grader")
    with pytest.raises(LauncherError) as refused:
        refuse_real_attempts(Settings())
    assert str(refused.value).endswith("Connection refused")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("command", ["dev", "demo"])
@pytest.mark.parametrize("place", ["{tmp}/file/home", "/proc/home"])
def test_a_home_that_cannot_be_written_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, place: str
) -> None:
    (tmp_path / "file").touch()
    home = place.format(tmp=tmp_path)
    monkeypatch.setenv("GRADER_HOME", home)
    done = run(command)
    assert done.returncode == 1
    assert f"{home}/dagster cannot be written (" in done.stderr
    assert "set GRADER_HOME to a folder that can" in done.stderr
    assert "Errno" not in done.stderr


def test_the_command_is_also_the_package_run_as_a_module() -> None:
    module = [sys.executable, "-m", "grader_pipeline.cli"]
    done = subprocess.run(module, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: grader-pipeline" in done.stderr


def test_exec_needs_a_database_of_the_users_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exec", "true"]) == 1
    assert "DATABASE_URL is not set" in capsys.readouterr().err


@pytest.mark.usefixtures("database_url")
def test_exec_says_that_there_is_no_such_program() -> None:
    done = run("exec", "no-such-program")
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
    done = run("exec", "dagster", "asset", "materialize", "--select", "*", "-f", "tiny.py")
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(database_url) as db:
        assert db.execute("SELECT status FROM dagster.runs").fetchall() == [("SUCCESS",)]

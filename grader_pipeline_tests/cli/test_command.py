"""The command as its users know it: what it starts, says, refuses, and leaves behind."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy
from psycopg.conninfo import make_conninfo

from grader_pipeline.cli.command import _COMMANDS
from grader_pipeline.local.dagster_home import instance_url
from grader_pipeline.local.services import free_port
from grader_pipeline_tests.processes import COMMAND, processes_of
from grader_pipeline_tests.waiting import eventually

Start = Callable[..., subprocess.Popen[str]]

LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    ... on RepositoryLocation { name } ... on PythonError { message } } } } } }"""
POOLS = "{ instance { concurrencyLimits { concurrencyKey slotCount } } }"


def ask(url: str, query: str) -> Any:
    return httpx.post(f"{url}/graphql", json={"query": query}, timeout=30).json()["data"]


def limits(url: str) -> dict[str, int]:
    pools = ask(url, POOLS)["instance"]["concurrencyLimits"]
    return {pool["concurrencyKey"]: pool["slotCount"] for pool in pools}


def ready(process: subprocess.Popen[str]) -> str:
    """What the command says until Dagster is there."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("Dagster is at http://"):
            return said
    raise AssertionError(said)


def doctor(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "doctor"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(300)
def test_dev_serves_the_pipeline_and_leaves_nothing_behind_however_it_ends(
    home: Path, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "never-to-be-seen")
    monkeypatch.setenv("GRADER_API_CONCURRENCY", "3")
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    first = started(*COMMAND, "dev", "--port", str(port))
    assert url in ready(first)
    (location,) = ask(url, LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert location["locationOrLoadError"] == {"name": "grader_pipeline"}
    assert eventually(lambda: limits(url) == {"grader_api": 3, "sheet": 1}), limits(url)
    running = processes_of(home)
    assert len(running) > 5
    assert not [p for p in running if "never-to-be-seen" in " ".join(p.cmdline())]

    other = subprocess.run(
        [*COMMAND, "dev", "--port", str(port)], capture_output=True, text=True, check=False
    )
    assert other.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in other.stderr

    first.kill()
    assert eventually(lambda: not processes_of(home)), processes_of(home)

    second = started(*COMMAND, "dev", "--port", str(port))
    ready(second)
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 130
    assert not processes_of(home)
    assert "never-to-be-seen" not in (home / "logs" / "app_log.txt").read_text()
    for path in (home / "dagster" / "output").iterdir():
        assert "never-to-be-seen" not in path.read_text()


@pytest.mark.parametrize("command", sorted(set(_COMMANDS) - {"sample-api"}))
def test_a_command_says_once_which_settings_it_uses_and_not_in_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=nonsense\nGRADER_HOME=here\n")
    monkeypatch.delenv("GRADER_HOME")
    days = ("--from", "2023-05-31", "--to", "2023-05-31", "--out", "page.html")
    arguments = {"report": days, "exec": ("true",)}.get(command, ())
    done = subprocess.run(
        [*COMMAND, command, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    used = f"Settings: {tmp_path / '.env'}; GRADER_HOME: {tmp_path / 'here'}\n"
    assert (done.stderr.count(used), done.stderr.count("Settings:")) == (1, 1)
    assert "Settings:" not in done.stdout


def test_wrong_settings_are_shown_with_the_file_that_may_have_them(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SMTP_PORT=none\n")
    done = subprocess.run([*COMMAND, "demo"], capture_output=True, text=True, check=False)
    first, second = done.stderr.splitlines()
    assert first == f"Settings: {tmp_path / '.env'}"
    assert second.startswith("grader-pipeline: SMTP_PORT: ")


def test_doctor_is_content_with_nothing_set(home: Path) -> None:
    done = doctor(home)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line[:6] for line in lines] == ["ok    "] * len(lines)
    named = [line[6:].split(":")[0] for line in lines]
    parts = ["log folder", "storage", "database", "API", "sheet", "mail", "Dagster"]
    assert named == ["settings", *parts]


def test_doctor_says_what_to_do_about_each_failure_and_never_a_secret(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        nowhere = f"127.0.0.1:{deaf.getsockname()[1]}"
        deaf.close()
        done = doctor(
            home,
            DATABASE_URL=f"postgresql://me:s3cret-database@{nowhere}/grader",
            GRADER_API_URL=f"http://{nowhere}/api",
            GRADER_API_CLIENT="school",
            GRADER_API_CLIENT_KEY="s3cret-key",
            SMTP_HOST="127.0.0.1",
            SMTP_PORT=nowhere.split(":")[1],
            SMTP_PASSWORD="s3cret-mail",
            MAIL_TO="a@example.org",
            SMTP_FROM="b@example.org",
        )
    assert done.returncode == 1
    failed = [line.split(":")[0] for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert failed == ["FAIL  database", "FAIL  API", "FAIL  mail", "FAIL  Dagster"]
    assert "s3cret" not in done.stdout + done.stderr
    (said,) = [line for line in done.stdout.splitlines() if line.startswith("FAIL  Dagster")]
    assert said.endswith("Connection refused")
    assert "Is the server running" not in said


@pytest.mark.parametrize("password", ["s3cret[", "s3cret%zz"])
def test_doctor_gets_through_a_database_url_that_cannot_be_read(home: Path, password: str) -> None:
    done = doctor(home, DATABASE_URL=f"postgresql://me:{password}@127.0.0.1:1/grader")
    assert done.returncode == 1
    assert "FAIL  Dagster: " in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_doctor_sends_nobody_to_a_driver_when_a_local_folder_cannot_be_written(home: Path) -> None:
    home.write_text("in the way")
    done = doctor(home)
    assert done.returncode == 1
    assert "fsspec" not in done.stdout
    assert "Set GRADER_STORAGE, or GRADER_HOME, to a folder" in done.stdout


def test_doctor_names_the_variable_that_cannot_be_read(home: Path) -> None:
    done = doctor(home, SMTP_PORT="seventy-secret", GRADER_TIMEZONE="Moscow")
    assert done.returncode == 1
    assert "FAIL  settings: SMTP_PORT" in done.stdout
    assert "FAIL  settings: GRADER_TIMEZONE" in done.stdout
    assert "seventy-secret" not in done.stdout


def test_dagsters_tables_go_to_a_schema_of_their_own(postgres_18: str) -> None:
    with psycopg.connect(postgres_18, autocommit=True) as db:
        db.execute("CREATE SCHEMA IF NOT EXISTS dagster")
    with sqlalchemy.create_engine(instance_url(postgres_18)).connect() as connection:
        answer = connection.execute(sqlalchemy.text("SELECT current_schema()"))
        assert answer.scalar() == "dagster"


def test_a_database_url_keeps_its_odd_characters_on_the_way_to_dagster() -> None:
    given = make_conninfo(
        host="db.example.org", port=5433, user="u@x", password="p:/?#[]@ %ü", dbname="a b",
        sslmode="require", options="-c work_mem=8MB",
    )  # fmt: skip
    url = sqlalchemy.make_url(instance_url(given))
    assert (url.username, url.password, url.database) == ("u@x", "p:/?#[]@ %ü", "a b")
    assert dict(url.query) == {
        "host": "db.example.org",
        "port": "5433",
        "sslmode": "require",
        "options": "-c work_mem=8MB -csearch_path=dagster",
    }

"""A restored backup: the same tables and sheet, and nobody gets a mail twice.

The roles are processes, the mails go to a real SMTP server. The first installation is lost, and a
second one, with an empty PostgreSQL and a GRADER_HOME of its own, gets the dump, the files of the
days and the workbook. It is started without SMTP_HOST until it has what happened after the dump.
"""

import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from psycopg import sql

from grader_pipeline.reports import readers
from grader_pipeline_tests import grader
from grader_pipeline_tests.conftest import DEBIAN_POSTGRES, debian_server
from grader_pipeline_tests.grader import Grader, attempt, rows
from grader_pipeline_tests.mail.mail_server import MailServer
from grader_pipeline_tests.roles.deployment import SERVING, Deployment, deployment
from grader_pipeline_tests.stacks import api
from grader_pipeline_tests.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(500)]

SECONDS = 180
FIRST, SECOND, THIRD = "2023-05-29", "2023-05-30", "2023-05-31"
READ = [
    "SELECT * FROM grader ORDER BY id",
    "SELECT report_date, received, loaded, body_sha256 FROM grader_load ORDER BY report_date",
    "SELECT report_date, metric, label, value FROM daily_metrics ORDER BY report_date, place",
    "SELECT key, state, sent_at FROM mail_outbox ORDER BY key",
]
KILLED = f"success:{SECOND}:%"
"""The key, before the run's id, of the mail that a process was sending when it was killed."""


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


def _day(day: str) -> list[dict[str, Any]]:
    return [attempt(f"{day} 09:16:11.313646", f"{n:032x}", n % 2) for n in range(8)]


@pytest.fixture
def school() -> Iterator[Grader]:
    with grader.running() as server:

        def answer(request: BaseHTTPRequestHandler) -> None:
            rows(_day(server.requests[-1]["end"][:10]))(request)

        server.answer = answer
        yield server


def _settings(school: Grader, smtp: MailServer) -> dict[str, str]:
    return {
        **api(school.url, "school"),
        "GRADER_START_DATE": FIRST,
        "GRADER_MIN_VOLUME_SHARE": "0",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp.port),
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "grader@school.example",
        "MAIL_TO": "anna@school.example",
        "MAIL_ON_FAILURE_TO": "owner@school.example",
    }


def _new_database(server: Path, name: str) -> str:
    with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    return f"postgresql://postgres@/{name}?host={server}"


def _serves(roles: Deployment) -> Deployment:
    """Start all roles, and wait until the UI has the code."""
    for role in SERVING:
        roles.start(role)
    assert eventually(roles.has_code, SECONDS), roles.said("ui") + roles.said("code-server")
    return roles


def _runs(roles: Deployment, day: str) -> str:
    run = roles.launch(day)
    assert eventually(lambda: roles.status(run) in {"SUCCESS", "FAILURE"}, SECONDS)
    assert roles.status(run) == "SUCCESS", roles.why(run)
    return run


def _rows(url: str, query: str, *named: str) -> list[tuple]:
    with psycopg.connect(url) as db:
        return db.execute(query.encode(), named).fetchall()


def _subjects(smtp: MailServer) -> list[str]:
    found = (received.message["Subject"] for received in list(smtp.received))
    return [subject.replace("\N{NO-BREAK SPACE}", " ").rpartition(" ")[2] for subject in found]


def _tables(url: str) -> list[list[tuple]]:
    return [_rows(url, query) for query in READ]


def _workbook(home: Path) -> list[list[tuple]]:
    (file,) = home.glob("*.xlsx")
    return [list(sheet.values) for sheet in openpyxl.load_workbook(file)]


def _program(name: str, *arguments: str) -> None:
    assert DEBIAN_POSTGRES is not None
    done = subprocess.run(
        [DEBIAN_POSTGRES / name, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_restored_backup_has_the_same_tables_and_sheet_and_nobody_gets_a_mail_twice(
    school: Grader, smtp: MailServer, tmp_path: Path
) -> None:
    dump, copy = tmp_path / "grader.dump", tmp_path / "copy"
    settings = _settings(school, smtp)
    with debian_server() as server:
        url = _new_database(server, "grader")
        with deployment(**settings, DATABASE_URL=url) as first:
            assert first.run("migrate").returncode == 0
            _serves(first)
            _runs(first, FIRST)
            assert eventually(lambda: len(smtp.received) == 1, SECONDS)
            smtp.answers["MAIL"] = "451 later"
            _runs(first, SECOND)
            assert eventually(lambda: smtp.attempts >= 2, SECONDS)
            first.end()
            killed = _rows(
                url,
                "UPDATE mail_outbox SET state = 'sending', next_attempt_at = now()"
                " WHERE key LIKE %s AND state IN ('queued', 'sending') RETURNING key",
                KILLED,
            )
            assert len(killed) == 1
            _program("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={url}")
            shutil.copytree(first.folder / "home", copy)
            before = _tables(url), _workbook(copy)
            # What happens now is in no dump. Two mails go out.
            smtp.answers.clear()
            _serves(first)
            _runs(first, THIRD)
            assert eventually(lambda: len(smtp.received) == 3, SECONDS), first.said("daemon")
            after = _tables(url)[0], _workbook(first.folder / "home")

    with debian_server() as server:
        url = _new_database(server, "grader")
        with psycopg.connect(url) as db:
            # A dump has no roles, and the rights of this one.
            db.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(readers.ROLE)))
        _program("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={url}", str(dump))
        assert (_tables(url), _workbook(copy)) == before
        host = settings.pop("SMTP_HOST")
        with deployment(**settings, DATABASE_URL=url) as second:
            home = second.folder / "home"
            shutil.copytree(copy, home, ignore=shutil.ignore_patterns("dagster", "logs"))
            assert second.run("migrate").returncode == 0
            _serves(second)
            _runs(second, THIRD)
            unsent = "SELECT key FROM mail_outbox WHERE state <> 'sent'"
            count = "SELECT count(*) FROM mail_outbox"
            assert eventually(
                lambda: _rows(url, count) == [(3,)] and not _rows(url, unsent), SECONDS
            ), second.said("daemon")
            assert len([*(home / "outbox").glob("*.eml")]) == 2
            second.end()

            second.environment = {**second.environment, "SMTP_HOST": host}
            _serves(second)
            run = _runs(second, THIRD)
            is_settled = "SELECT FROM mail_candidate WHERE id = %s AND settled_at IS NOT NULL"
            assert eventually(lambda: bool(_rows(url, is_settled, run)), SECONDS)
            assert (_tables(url)[0], _workbook(home)) == after
    assert _subjects(smtp) == ["29.05.2023", "30.05.2023", "31.05.2023"]

"""An installation of release 0.2.0, with its sheet, storage and outbox, under the code of today.

The installation and the SQL of 0.2.0 are in the folder ``release_0_2``: see ``earlier.py``.
"""

import datetime as dt
import email
import email.policy
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import openpyxl
import psycopg
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from psycopg.rows import dict_row

from grader_pipeline.attempts.response import unpacked
from grader_pipeline.mail.resource import Mail
from grader_pipeline.mail.sensor import Cursor, evaluate
from grader_pipeline.reports import units
from grader_pipeline.reports.definition import NAMES_WORKSHEET, TODAY_WORKSHEET
from grader_pipeline.reports.report_files import reports
from grader_pipeline.resources.connections import Connection
from grader_pipeline.resources.migrations import migrate
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.table import _plain
from grader_pipeline_tests.assets.conftest import Run
from grader_pipeline_tests.grader import Grader, body
from grader_pipeline_tests.mail.mail_server import MailServer
from grader_pipeline_tests.reports.conftest import without_numbers
from grader_pipeline_tests.schema.earlier import RELEASE_0_2
from grader_pipeline_tests.schema.old_process import OldProcess

HERE = Path(__file__).parent / RELEASE_0_2.name
STORED = tuple(
    path.name.partition(".")[0] for path in sorted((HERE / "storage/raw_attempts").iterdir())
)
NEWEST = STORED[-1]
NEW = (dt.date.fromisoformat(NEWEST) + dt.timedelta(days=1)).isoformat()
RUN_TODAY = [dt.date.fromisoformat(day) for day in (NEWEST, NEW)]
TABLES = {
    "grader": "SELECT {} FROM grader ORDER BY id",
    "grader_load": "SELECT {} FROM grader_load ORDER BY report_date",
    "grader_rejected": "SELECT {} FROM grader_rejected ORDER BY report_date, position",
    "mail_outbox": "SELECT {} FROM mail_outbox ORDER BY key",
    "mail_recipient": "SELECT {} FROM mail_recipient ORDER BY key, address",
}
REMARK = "сбой"
OTHER_DATABASE = "fresh_beside_release_0_2"


@pytest.fixture
def installation(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """The installation, restored, as it was an hour after its last mail could not be sent."""
    monkeypatch.setenv("MAIL_TO", "anna@school.example, boris@school.example")
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute((HERE / "database.sql").read_bytes())
    shutil.copytree(HERE / "storage", Settings().storage)
    shutil.copy(HERE / "workbook.xlsx", Settings().workbook)
    with psycopg.connect(database_url, autocommit=True, row_factory=dict_row) as db:
        db.execute("SET TIME ZONE 'UTC'")
        db.execute(
            "UPDATE mail_outbox SET created_at = now() - interval '1 hour',"
            " next_attempt_at = now(), give_up_at = now() + interval '23 hours'"
        )
        yield db


@pytest.fixture
def smtp(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    server = MailServer().start()
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PORT", str(server.port))
    monkeypatch.setenv("SMTP_SECURITY", server.security)
    monkeypatch.setenv("SMTP_FROM", "grader@school.example")
    yield server
    server.stop()


def answer_of(day: str) -> bytes:
    """What the API says of a day: of a stored one what it said, of the new one the same later."""
    if day in STORED:
        path = HERE / "storage/raw_attempts" / f"{day}.json.zst"
        with path.open("rb") as file, unpacked(file) as answer:
            return answer.read()
    elements = json.loads(answer_of(NEWEST))
    for element in elements:
        if isinstance(element, dict) and element["created_at"].startswith("20"):
            moment = dt.datetime.fromisoformat(element["created_at"]) + dt.timedelta(days=1)
            element["created_at"] = moment.isoformat(" ")
    return json.dumps(elements).encode()


def run(run_day: Run, grader: Grader, *days: str) -> None:
    for day in days:
        grader.answer = body(answer_of(day))
        assert run_day(day).success


def tables(db: Connection) -> dict[str, list[dict[str, Any]]]:
    """The rows of the installation's tables that each hold a thing once."""
    return {
        name: db.execute(query.format("*").encode()).fetchall() for name, query in TABLES.items()
    }


def report_lines(db: Connection) -> dict[tuple[str, dt.date], list[str]]:
    """The lines of each report and day, in one order, without the numbers of learners.

    Without empty cells too: a column that a report no longer has stays in an upgraded table.
    """
    found: dict[tuple[str, dt.date], list[str]] = {}
    for report in reports():
        there = db.execute("SELECT to_regclass(%s) AS name", [report.name]).fetchone() or {}
        if there["name"] is None:  # a report of today, before its first day
            continue
        lines = db.execute(f"SELECT * FROM {report.name}".encode()).fetchall()
        for line in lines:
            cells = without_numbers(report.name, line).items()
            text = repr(sorted(cell for cell in cells if cell[1] is not None))
            found.setdefault((report.name, line["report_date"]), []).append(text)
    return {part: sorted(lines) for part, lines in found.items()}


def totals(ledger: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """What a ledger says of its days, however often they were loaded."""
    return [
        (
            day["report_date"], day["received"], day["loaded"] + day["already_there"],
            day["duplicates"], day["rejected"], day["differing"], day["body_sha256"],
        )
        for day in ledger
    ]  # fmt: skip


def shown(sheet: Worksheet) -> list[tuple[object, ...]]:
    """The cells of the pipeline's columns of a worksheet."""
    width = sum(1 for cell in sheet[1] if cell.value is not None)
    return [
        tuple(line)
        for line in sheet.iter_rows(max_col=width, values_only=True)
        if any(cell is not None for cell in line)
    ]


def remark(title: str, day: dt.date) -> None:
    """A reader writes a remark beside the first line of a day."""
    book = openpyxl.load_workbook(Settings().workbook)
    sheet = book[title]
    line = next(line for line in sheet.iter_rows() if line[0].value and date(line[0].value) == day)
    sheet.cell(line[0].row, len(shown(sheet)[0]) + 1).value = REMARK
    book.save(Settings().workbook)


def remarked(title: str) -> list[tuple[object, ...]]:
    """The lines of a worksheet that have the remark."""
    sheet = openpyxl.load_workbook(Settings().workbook)[title]
    lines = [line for line in sheet.iter_rows(values_only=True) if REMARK in line]
    return [line[: line.index(REMARK)] for line in lines]


def date(cell: object) -> object:
    return cell.date() if isinstance(cell, dt.datetime) else cell


@pytest.fixture
def fresh(
    postgres_18: str, grader: Grader, run_day: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    """A second installation, in which the code of today has loaded all days, and nothing else."""
    url = postgres_18.replace("/postgres?", f"/{OTHER_DATABASE}?")
    with psycopg.connect(postgres_18, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {OTHER_DATABASE}")
        with monkeypatch.context() as patch:
            patch.setenv("DATABASE_URL", url)
            patch.setenv("GRADER_HOME", str(tmp_path / "fresh"))
            run(run_day, grader, *STORED, NEW)
        with psycopg.connect(url, row_factory=dict_row) as db:
            db.execute("SET TIME ZONE 'UTC'")
            yield db
        admin.execute(f"DROP DATABASE {OTHER_DATABASE} WITH (FORCE)")


def test_the_newest_day_again_changes_no_attempt_and_no_line(
    installation: Connection, run_day: Run, grader: Grader
) -> None:
    before, lines = tables(installation), report_lines(installation)
    day = dt.date.fromisoformat(NEWEST)
    remark("Лист1", day)
    remark("Динамика", day)
    sheets = openpyxl.load_workbook(Settings().workbook)
    run(run_day, grader, NEWEST)
    after = tables(installation)
    for name in ("grader", "grader_rejected", "mail_outbox", "mail_recipient"):
        # Columns that 0.2.0 had not are empty.
        columns = before[name][0].keys()
        assert [{c: row[c] for c in columns} for row in after[name]] == before[name], name
        assert not any(row[c] for row in after[name] for c in row.keys() - columns), name
    assert len(before["grader"]) > 600
    assert totals(after["grader_load"]) == totals(before["grader_load"])
    assert after["grader_load"][-1]["loaded"] == 0
    assert {(name, day) for name, day in report_lines(installation)} >= set(lines)
    now = openpyxl.load_workbook(Settings().workbook)
    assert [title for title in now.sheetnames if title in sheets.sheetnames] == sheets.sheetnames
    of_then, of_now = ({name for name, _ in found} for found in (lines, report_lines(installation)))
    added = {report.title for report in reports() if report.name in of_now - of_then}
    assert set(now.sheetnames) - set(sheets.sheetnames) == {
        TODAY_WORKSHEET, NAMES_WORKSHEET, *added
    }  # fmt: skip
    for sheet in now:
        assert len(shown(sheet)) == len(set(shown(sheet)))
    for title in ("Лист1", "Динамика"):
        ((cell, *_),) = remarked(title)
        assert date(cell) == day


def test_a_new_day_after_the_upgrade_is_there_once_as_in_a_fresh_installation(
    installation: Connection, fresh: Connection, run_day: Run, grader: Grader
) -> None:
    before, lines = tables(installation), report_lines(installation)
    beside = dt.date.fromisoformat(STORED[1])
    # New lines go to the end of this worksheet.
    remark("Динамика", beside)
    run(run_day, grader, NEWEST, NEW)
    after, expected = tables(installation), tables(fresh)
    assert after["grader"][: len(before["grader"])] == before["grader"]

    def attempts(found: list[dict[str, Any]]) -> list[str]:
        return sorted(repr({**row, "id": None}) for row in found)

    assert attempts(after["grader"]) == attempts(expected["grader"])
    assert after["grader_rejected"] == expected["grader_rejected"]
    assert totals(after["grader_load"]) == totals(expected["grader_load"])
    now, computed = report_lines(installation), report_lines(fresh)
    # A report that 0.2.0 had not has lines only of the days that were run since.
    # A run brings up to date which of the other days have changed.
    of_then = {name for name, _ in lines}
    assert now.keys() <= computed.keys()
    assert now.keys() >= {p for p in computed if p[0] in of_then or p[1] in RUN_TODAY}
    for part, found in now.items():
        # A part that no run since has computed is what 0.2.0 computed.
        is_unchanged = part[1] not in RUN_TODAY and found == lines.get(part)
        assert is_unchanged or found == computed[part], part
    for view in ("learner_task", "learner_task_day"):
        query = f"SELECT * FROM {view}".encode()
        assert attempts(installation.execute(query).fetchall()) == attempts(
            fresh.execute(query).fetchall()
        )
    book = openpyxl.load_workbook(Settings().workbook)
    for sheet in book:
        assert len(shown(sheet)) == len(set(shown(sheet)))
    metrics = installation.execute("SELECT * FROM daily_metrics").fetchall()
    assert Counter((date(day), label, value) for day, label, value in shown(book["Лист1"])[1:]) == (
        Counter(
            (
                row["report_date"],
                row["label"],
                _plain(units.cell(row["value"], row["unit"], row["text"])),
            )
            for row in metrics
        )
    )
    ((cell, *_),) = remarked("Динамика")
    assert date(cell) == beside


def test_a_queued_mail_is_sent_once_and_a_sent_one_not_again(
    installation: Connection,
    run_day: Run,
    grader: Grader,
    instance: dg.DagsterInstance,
    smtp: MailServer,
) -> None:
    mails = tables(installation)["mail_outbox"]
    ids: dict[str, list[str]] = {"sent": [], "queued": []}
    for mail in mails:
        message = email.message_from_bytes(mail["message"], policy=email.policy.default)
        ids[mail["state"]].append(message["Message-ID"])
    assert ids["sent"] and ids["queued"]
    run(run_day, grader, NEWEST, NEW)
    postgres, cursor = Postgres(), Cursor()
    for _ in range(3):
        cursor, _ = evaluate(instance, postgres, Mail(), cursor)
    postgres.close()
    received = Counter(got.message["Message-ID"] for got in smtp.received)
    assert set(received.values()) == {1}
    assert received.keys() >= set(ids["queued"])
    assert not received.keys() & set(ids["sent"])
    to_all = {tuple(sorted(got.recipients)) for got in smtp.received}
    assert to_all == {("anna@school.example", "boris@school.example")}
    after = {mail["key"]: mail for mail in tables(installation)["mail_outbox"]}
    for mail in mails:
        assert after[mail["key"]]["state"] == "sent"
        if mail["state"] == "sent":
            # It was written before mails had a short form.
            assert after[mail["key"]] == {**mail, "short": None}
    assert any(str(mail["report_date"]) == NEW for mail in after.values())


def test_a_process_of_0_2_0_that_still_runs_works_on_the_new_schema(
    installation: Connection, fresh: Connection, run_day: Run, grader: Grader
) -> None:
    migrate(installation)
    before = tables(installation)
    process = OldProcess(installation)
    assert process.finds_its_schema()
    process.load(NEW, answer_of(NEW))
    process.report(NEW)
    process.mail(NEW)
    folders = ("load", "checks", "session", "mail", "report_tables")
    names = {f"{folder}/{name}" for folder in folders for name in RELEASE_0_2.names(folder)}
    # What they copy into is the process's own temporary table.
    assert names - process.done == {"load/copy_attempts", "load/copy_rejected"}
    assert tables(installation)["grader"][: len(before["grader"])] == before["grader"]
    # The code of today takes the day as it was left.
    run(run_day, grader, NEW)
    after, expected = tables(installation), tables(fresh)
    assert totals(after["grader_load"]) == totals(expected["grader_load"])
    assert after["grader_load"][-1]["loaded"] == 0
    assert len(after["grader"]) == len(expected["grader"])
    now, computed = report_lines(installation), report_lines(fresh)
    assert {p: x for p, x in now.items() if p[1] == RUN_TODAY[-1]} == {
        p: x for p, x in computed.items() if p[1] == RUN_TODAY[-1]
    }

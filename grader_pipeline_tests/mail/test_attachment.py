"""The attached workbook is what the sheet shows of the day, and never stops its mail."""

import datetime as dt
import email
import email.policy
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openpyxl import load_workbook

from grader_pipeline.definitions import build_defs
from grader_pipeline.mail import attachment, outbox
from grader_pipeline.mail.message import Message
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.reports.definition import CHART_WORKSHEET, TODAY_WORKSHEET
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline_tests import grader
from grader_pipeline_tests.grader import attempt, learner, rows
from grader_pipeline_tests.stacks import api

DAY = dt.date(2023, 5, 31)


@pytest.fixture
def loaded(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two days of six learners. The second one has one more submit each."""
    with grader.running() as server:
        for name, value in api(server.url, "school").items():
            monkeypatch.setenv(name, value)
        job = build_defs().resolve_job_def("grader_day")
        for number, day in enumerate(("2023-05-30", "2023-05-31"), start=1):
            server.answer = rows(
                [
                    attempt(f"{day} 12:{minute:02d}:0{who}", learner(who), minute % 2)
                    for minute in range(number)
                    for who in range(6)
                ]
            )
            config = {"ops": {"validated_attempts": {"config": {"accept_day": True}}}}
            done = job.execute_in_process(partition_key=day, run_config=config)
            assert done.success
        yield


@pytest.fixture
def attached(postgres: Postgres, outbox_rows: Callable[[], list[dict]]) -> Callable[..., list[Any]]:
    """Enqueue a mail and give what is attached to it."""

    def attached(key: str = "success:1", day: dt.date | None = DAY) -> list[Any]:
        with postgres.transaction() as db:
            to = [Mailbox("", "anna@school.example")]
            said = Message("Тема", "", "", "Готово.")
            outbox.enqueue(db, said, key=key, candidate="run", to=to, report_date=day)
        row = next(row for row in outbox_rows() if row["key"] == key)
        message = email.message_from_bytes(bytes(row["message"]), policy=email.policy.default)
        assert message["Content-Language"] == "ru"
        assert "Готово." in message.get_body(("plain",)).get_content()
        return list(message.iter_attachments())

    return attached


def cells(content: Any) -> dict[str, list[tuple[Any, ...]]]:
    """The lines of each worksheet, our columns only."""
    book = load_workbook(content)
    return {sheet.title: [*sheet.iter_rows(values_only=True)] for sheet in book.worksheets}


def test_the_days_workbook_has_the_lines_of_the_sheet_for_that_day_and_no_other(
    loaded: None, attached: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_ATTACH", "xlsx")
    (part,) = attached()
    assert part.get_filename() == "grades-2023-05-31.xlsx"
    assert part.get_content_type().endswith("spreadsheetml.sheet")
    found = cells(io.BytesIO(part.get_content()))
    whole = cells(Settings().workbook)
    assert {"Лист1", CHART_WORKSHEET, "Курсы", "Задания"} <= found.keys() <= whole.keys()
    assert list(found) == [title for title in whole if title in found], "the order of the tabs"
    assert found[TODAY_WORKSHEET] == whole[TODAY_WORKSHEET]
    marked = [
        line
        for line in found[TODAY_WORKSHEET]
        if str(line[0]).startswith("Строк с оранжевой отметкой")
    ]
    assert any(line[2] is not None for line in marked), "those of the day before are counted"
    moment = dt.datetime.combine(DAY, dt.time())
    for title in found.keys() - {CHART_WORKSHEET, TODAY_WORKSHEET}:
        head, *lines = whole[title]
        assert found[title] == [head, *(line for line in lines if line[0] == moment)]
    assert len(found[CHART_WORKSHEET]) == 3, "the days before are in the chart"
    assert not any(learner(0) in str(line) for lines in found.values() for line in lines)


def test_only_the_mail_of_a_day_has_it_and_only_if_it_is_wanted(
    postgres: Postgres, attached: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert attached() == []
    monkeypatch.setenv("MAIL_ATTACH", "xlsx")
    assert attached("changed:1") == []
    assert attached("digest:1", None) == []


def test_a_workbook_that_cannot_be_made_delays_no_mail(
    postgres: Postgres,
    attached: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(db: Any, _day: dt.date) -> None:
        db.execute("SELECT 1 / 0")

    monkeypatch.setenv("MAIL_ATTACH", "xlsx")
    monkeypatch.setattr(outbox, "workbook_of", fails)
    assert attached() == []
    assert "The mail of 2023-05-31 has no workbook attached" in caplog.text
    assert attachment.workbook_of is not fails

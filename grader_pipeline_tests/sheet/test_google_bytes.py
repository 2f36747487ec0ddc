"""One more day costs the bytes of that day, however many days the Google Sheet has."""

import datetime as dt
from decimal import Decimal
from operator import itemgetter

import pytest

from grader_pipeline.reports.day_metrics import MAIN_METRICS
from grader_pipeline.reports.definition import Row
from grader_pipeline.sheet.google import batch_update, spreadsheet
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import DAILY_COLUMNS, Table, daily_report
from grader_pipeline_tests.sheet.sheets_given import LABELS
from grader_pipeline_tests.sheet.sheets_server import Google
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet

METRICS = 26
FIRST = dt.date(2020, 1, 1)


def rows(days: int) -> list[Row]:
    """As many lines a day as there are, with labels as long as they are."""
    names = [*MAIN_METRICS, *(f"metric_{n}" for n in range(METRICS - len(MAIN_METRICS)))]
    labels = [*LABELS, *(f"Количество чего-нибудь за этот день, {n}" for n in range(METRICS - 3))]
    return [
        {"report_date": FIRST + dt.timedelta(days=day), "metric": name, "label": label,
         "value": Decimal((day * 31 + place) % 4000) / 10}
        for day in range(days)
        for place, (name, label) in enumerate(zip(names, labels, strict=True))
    ]  # fmt: skip


def fill(book: Spreadsheet, days: int) -> None:
    """Put lines into worksheets that are there, without the time that a write would take."""
    for table in daily_report(rows(days)):
        sheet = book.sheet(table.worksheet or "Лист1")
        sheet["properties"]["gridProperties"]["rowCount"] = len(table.lines) + 1000
        for row, line in enumerate(table.lines, start=1):
            for column, value in enumerate(line):
                sheet["cells"][row, column] = batch_update._cell(value)


def cost_of_a_day(google: Google, book: Spreadsheet, number: int) -> tuple[int, int]:
    """The bytes written and read for one more day at so many days."""
    sheets = Sheets(request_seconds=60)
    sheets.show(daily_report(rows(1)))
    fill(book, number)
    all_rows = sorted(rows(number + 1), key=itemgetter("report_date"), reverse=True)
    google.written = google.answered = 0
    shown = sheets.show(daily_report(all_rows), {FIRST + dt.timedelta(days=number)})
    assert shown.cells == METRICS * 3 + 4
    assert len(book.values("Лист1")) == 1 + (number + 1) * METRICS
    return google.written, google.answered


def test_one_more_day_at_1100_days_writes_its_own_bytes_and_reads_little(
    google: Google, book: Spreadsheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, read = cost_of_a_day(google, book, 1100)

    alone = google.books["alone"] = Spreadsheet("alone")
    alone.add_sheet("Лист1", 0)
    monkeypatch.setenv("GOOGLE_SHEETS_ID", "alone")
    own, _ = cost_of_a_day(google, alone, 1)
    assert written <= 1.1 * own, f"{written} bytes for a day of {own}"
    assert written < 20_000
    assert read <= 500_000


def test_a_long_first_write_is_several_requests_of_whole_days(
    google: Google, book: Spreadsheet
) -> None:
    bytes_of: list[int] = []
    real = book.batch_update

    def noted(requests: list[dict[str, object]]) -> None:
        real(requests)
        bytes_of.append(google.written - sum(bytes_of))

    book.batch_update = noted  # type: ignore[method-assign]
    days = [FIRST + dt.timedelta(days=n) for n in range(200)]
    lines = tuple((day, f"Показатель {n}", n) for day in reversed(days) for n in range(METRICS))

    Sheets().show([Table(DAILY_COLUMNS, lines)])

    assert len(bytes_of) == -(-200 * METRICS * 3 // spreadsheet._ROOM)
    assert max(bytes_of) < 2_000_000
    for state in book.history[1:]:
        count = sum(column == 1 and row > 0 for row, column in state[0]["cells"])
        assert count % METRICS == 0
    assert len(book.values("Лист1")) == 1 + len(lines)

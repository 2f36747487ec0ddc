"""The chart of «Сегодня» shows the last days of «Динамика», in Google and in the workbook."""

import datetime as dt
from pathlib import Path

from openpyxl import load_workbook

from grader_pipeline.reports.day_metrics import HISTORY_DAYS, MAIN_METRICS
from grader_pipeline.reports.definition import CHART_WORKSHEET, TODAY_WORKSHEET
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import Table, daily_report
from grader_pipeline.sheet.today import today
from grader_pipeline_tests.sheet.sheets_given import metrics
from grader_pipeline_tests.sheet.sheets_server import Google
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet

FIRST = dt.date(2023, 4, 1)


def tables(days: int) -> list[Table]:
    dates = [(FIRST + dt.timedelta(days=n)).isoformat() for n in range(days)]
    rows = [row | {"unit": "count", "text": None} for row in metrics(*dates)]
    daily = daily_report(rows)
    glance = today(rows, daily)
    assert glance
    return [glance, *daily]


def test_google_shows_the_header_and_the_last_days_as_days_come_in(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    for days in (3, HISTORY_DAYS + 5, HISTORY_DAYS + 6):
        sheets.show(tables(days))
        [chart] = book.sheet(TODAY_WORKSHEET)["charts"]
        source = book.sheet(CHART_WORKSHEET)["properties"]["sheetId"]
        basic = chart["spec"]["basicChart"]
        assert len(basic["series"]) == len(MAIN_METRICS)
        parts = [basic["domains"][0]["domain"], *(part["series"] for part in basic["series"])]
        for column, part in enumerate(parts):
            ranges = part["sourceRange"]["sources"]
            assert {each["sheetId"] for each in ranges} == {source}
            assert {each["startColumnIndex"] for each in ranges} == {column}
            rows = [(each["startRowIndex"], each["endRowIndex"]) for each in ranges]
            last = days + 1
            shown = [(0, 1), (last - HISTORY_DAYS, last)] if days > HISTORY_DAYS else [(0, last)]
            assert rows == shown
        assert not sheets.show(tables(days)).written
    # Each worksheet has its own chart.
    assert len(book.sheet(CHART_WORKSHEET)["charts"]) == 1


def test_the_workbook_shows_the_last_days_as_days_come_in(path: Path, sheets: Sheets) -> None:
    for days in (3, HISTORY_DAYS + 5, HISTORY_DAYS + 6):
        sheets.show(tables(days))
        [chart] = load_workbook(path)[TODAY_WORKSHEET]._charts
        assert len(chart.series) == len(MAIN_METRICS)
        first, last = max(2, days + 2 - HISTORY_DAYS), days + 1
        for letter, series in zip("BCD", chart.series, strict=True):
            assert series.tx.strRef.f == f"'{CHART_WORKSHEET}'!${letter}$1"
            assert series.val.numRef.f == f"'{CHART_WORKSHEET}'!${letter}${first}:${letter}${last}"
            assert series.cat.numRef.f == f"'{CHART_WORKSHEET}'!$A${first}:$A${last}"
        assert not sheets.show(tables(days)).written

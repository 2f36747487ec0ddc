"""The chart of the Google Sheet is made once, and covers all lines."""

import datetime as dt

import pytest

from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import (
    chart_table,
    daily_report,
)
from grader_pipeline_tests.sheet.sheets_given import LABELS, metrics, with_labels
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet

DAY = 45077  # 2023-05-31, in days since 1899-12-30
ATTEMPTS, SUCCESSES, USERS = LABELS


def test_the_chart_is_made_once_and_follows_the_table(book: Spreadsheet, sheets: Sheets) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    (chart,) = book.sheet("Динамика")["charts"]
    chart["spec"]["title"] = "Название читателя"
    sheets.show(daily_report(metrics("2023-05-30", "2023-05-31")))

    assert book.values("Динамика", 4) == [
        ["Дата отчета", ATTEMPTS, SUCCESSES, USERS],
        [DAY - 1, 670, 30, 12.5],
        [DAY, 671, 31, 12.5],
    ]
    (chart,) = book.sheet("Динамика")["charts"]
    assert chart["spec"]["title"] == "Название читателя"
    basic = chart["spec"]["basicChart"]
    parts = [basic["domains"][0]["domain"], *(part["series"] for part in basic["series"])]
    sources = [part["sourceRange"]["sources"][0] for part in parts]
    assert [(s["startColumnIndex"], s["endRowIndex"]) for s in sources] == [
        (0, 3), (1, 3), (2, 3), (3, 3),
    ]  # fmt: skip


def test_a_chart_table_knows_days_that_lack_a_metric() -> None:
    assert chart_table(metrics("2023-05-31") + metrics("2023-05-30")[1:]).lines == (
        (dt.date(2023, 5, 30), None, 30, 12.5), (dt.date(2023, 5, 31), 671, 31, 12.5),
    )  # fmt: skip


def test_a_chart_keeps_its_lines_when_a_label_changes(book: Spreadsheet, sheets: Sheets) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    days = metrics("2023-05-31", "2023-05-30")
    days[0] |= {"label": "Новое название"}

    sheets.show(daily_report(days))

    assert book.values("Динамика", 4) == [
        ["Дата отчета", "Новое название", SUCCESSES, USERS],
        [DAY - 1, 670, 30, 12.5],
        [DAY, 671, 31, 12.5],
    ]
    assert len(book.sheet("Динамика")["charts"]) == 1


@pytest.mark.parametrize("older", [(), ("2023-05-30",)])
def test_a_chart_without_one_of_its_metrics_is_an_error_and_empties_no_chart(
    older: tuple[str, ...],
    book: Spreadsheet,
    sheets: Sheets,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tables = daily_report(metrics("2023-05-31", *older))
    sheets.show(tables)
    before = book.values("Динамика", 4)

    sheets.show(with_labels(daily_report(metrics("2023-05-31")[1:] + metrics(*older)), tables))

    (logged,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "no submits on its newest day" in logged.getMessage()
    assert book.values("Лист1")[1] == [DAY, SUCCESSES, 31]
    after = book.values("Динамика", 4)
    assert after[:-1] == before[:-1]
    assert after[-1][2:] == [31, 12.5]

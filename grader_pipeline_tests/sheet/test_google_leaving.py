"""A line that leaves the Google Sheet takes its row along, but for what readers have beside it."""

import datetime as dt
from dataclasses import replace

import pytest

from grader_pipeline.sheet.google.batch_update import GREY
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import DATE, Column, Table, daily_report
from grader_pipeline_tests.sheet.sheets_given import metrics
from grader_pipeline_tests.sheet.sheets_server import Google
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet

DAY = 45077  # 2023-05-31, in days since 1899-12-30


def leave(book: Spreadsheet, sheets: Sheets, day: str) -> list[list[object]]:
    """Show one day on a worksheet that shows no other one."""
    date = dt.date.fromisoformat(day)
    columns = (DATE, Column("Курс", 100), Column("Юзеров", 100))
    lines = tuple((date, name, date.day) for name in "AB")
    table = Table(columns, lines, worksheet="Курсы", keeps_days=False)
    sheets.show([*daily_report(metrics(day)), table])
    return book.values("Курсы", 5)


@pytest.mark.parametrize("remark", ["value", "note", "fill"])
def test_a_line_that_leaves_stays_in_grey_if_readers_have_something_beside_it(
    remark: str, google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    leave(book, sheets, "2023-05-30")
    beside = {
        "value": {"userEnteredValue": {"stringValue": "сбой"}},
        "note": {"note": "сбой"},
        "fill": {"userEnteredFormat": {"backgroundColor": {"red": 1, "green": 1}}},
    }
    book.put("Курсы", 2, 4, beside[remark])

    shown = leave(book, sheets, "2023-05-31")

    assert [line[:3] for line in shown[1:]] == [[DAY, "A", 31], [DAY, "B", 31], [DAY - 1, "B", 30]]
    cells = book.sheet("Курсы")["cells"]
    assert cells[3, 4] == beside[remark]
    assert cells[3, 0]["userEnteredFormat"]["textFormat"] == {"foregroundColor": GREY}
    assert "textFormat" not in cells[2, 0]["userEnteredFormat"]
    writes = google.count("batchUpdate")
    leave(book, sheets, "2023-05-31")
    assert google.count("batchUpdate") == writes
    # It comes back: in black again where a figure of it is new, and no second line of it.
    cells[3, 2]["userEnteredValue"]["numberValue"] = 1
    shown = leave(book, sheets, "2023-05-30")
    assert [line[:3] for line in shown[1:]] == [[DAY - 1, "A", 30], [DAY - 1, "B", 30]]
    assert "foregroundColor" not in cells_of(book, 2)["userEnteredFormat"].get("textFormat", {})


def cells_of(book: Spreadsheet, row: int) -> dict[str, dict[str, object]]:
    return book.sheet("Курсы")["cells"][row, 0]


def test_a_fill_of_a_whole_column_keeps_no_line(book: Spreadsheet, sheets: Sheets) -> None:
    leave(book, sheets, "2023-05-30")
    for row in range(book.sheet("Курсы")["properties"]["gridProperties"]["rowCount"]):
        book.put("Курсы", row, 4, {"userEnteredFormat": {"backgroundColor": {"red": 1}}})
    assert len(leave(book, sheets, "2023-05-31")) == 3


def test_figures_that_are_no_longer_true_are_emptied_where_the_line_stays(
    book: Spreadsheet, sheets: Sheets
) -> None:
    table = Table(
        (DATE, Column("Курс", 100), Column("Юзеров", 100)),
        tuple((dt.date(2023, 5, 31), name, 5) for name in "AB"),
        worksheet="Курсы",
        days=frozenset({dt.date(2023, 5, 31)}),
    )
    main = daily_report(metrics("2023-05-31"))
    sheets.show([*main, table])
    book.put("Курсы", 2, 3, {"userEnteredValue": {"stringValue": "мой курс"}})
    fewer = replace(table, lines=table.lines[:1], labels=frozenset({("B",)}))
    sheets.show([*main, fewer])
    sheets.show([*main, fewer])
    assert book.values("Курсы", 4)[1:] == [[DAY, "A", 5, None], [DAY, "B", None, "мой курс"]]

"""What readers and earlier scripts put into the Google Sheet is kept, or left alone."""

import pytest

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import daily_report
from grader_pipeline_tests.sheet.sheets_given import HEADER, LABELS, metrics
from grader_pipeline_tests.sheet.sheets_server import Google
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet

DAY = 45077  # 2023-05-31, in days since 1899-12-30
ATTEMPTS, SUCCESSES, USERS = LABELS


def test_what_is_beside_our_columns_stays(book: Spreadsheet, sheets: Sheets) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    theirs = {
        "userEnteredValue": {"formulaValue": "=C2*2"},
        "userEnteredFormat": {"numberFormat": {"type": "PERCENT", "pattern": "0%"}},
        "note": "праздник",
    }
    book.put("Лист1", 1, 3, theirs)
    book.put("Лист1", 9, 4, {"userEnteredValue": {"stringValue": "ниже"}})
    book.sheet("Лист1")["cells"][2, 0] |= {"note": "наша ячейка"}
    book.sheet("Лист1")["cells"][2, 2]["userEnteredFormat"]["backgroundColor"] = {"red": 1}

    sheets.show(daily_report(metrics("2023-05-31", "2023-05-30")))

    cells = book.sheet("Лист1")["cells"]
    assert cells[1, 3] == theirs
    assert cells[9, 4] == {"userEnteredValue": {"stringValue": "ниже"}}
    assert cells[2, 0]["note"] == "наша ячейка"
    assert cells[2, 2]["userEnteredFormat"]["backgroundColor"] == {"red": 1}


def test_days_that_only_the_sheet_has_stay_and_become_typed(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    old = [HEADER, ["2022-01-02", "Старый показатель", 7], ["31.05.2023", ATTEMPTS, 1]]
    for row, line in enumerate(old):
        for column, value in enumerate(line):
            kind = "stringValue" if isinstance(value, str) else "numberValue"
            book.put("Лист1", row, column, {"userEnteredValue": {kind: value}})

    sheets.show(daily_report(metrics("2023-05-31")))
    sheets.show(daily_report(metrics("2023-05-31")))

    assert book.values("Лист1")[1:] == [
        [DAY, ATTEMPTS, 671],
        [DAY, SUCCESSES, 31],
        [DAY, USERS, 12.5],
        [44563, "Старый показатель", 7],
    ]
    assert google.count("batchUpdate") == 1


@pytest.mark.parametrize(
    ("line", "cells", "says"),
    [
        (0, {0: "Дата", 1: "Курс"}, "Wrong header: .* begins with «Дата | Курс | » instead of"),
        (3, {0: "Итого"}, "Wrong header"),
    ],
)
def test_a_worksheet_headed_otherwise_is_left_alone(
    line: int,
    cells: dict[int, str],
    says: str,
    *,
    google: Google,
    book: Spreadsheet,
    sheets: Sheets,
) -> None:
    for column, text in cells.items():
        book.put("Лист1", line, column, {"userEnteredValue": {"stringValue": text}})

    with pytest.raises(PermanentFailure, match=says.replace("|", r"\|")):
        sheets.show(daily_report(metrics("2023-05-31")))
    assert google.count("batchUpdate") == 0


def test_a_line_of_somebody_else_among_ours_is_left_alone(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    book.put("Лист1", 4, 0, {"userEnteredValue": {"stringValue": "Итого"}})

    with pytest.raises(PermanentFailure, match="Line 5 of the worksheet «Лист1»"):
        sheets.show(daily_report(metrics("2023-05-31")))
    assert google.count("batchUpdate") == 1


def test_a_worksheet_of_ours_that_was_renamed_is_still_ours(
    book: Spreadsheet, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    book.sheet("Динамика")["properties"]["title"] = "Графики 'new'"

    sheets.show(daily_report(metrics("2023-05-30", "2023-05-31")))

    assert [s["properties"]["title"] for s in book.sheets] == ["Лист1", "Графики 'new'"]
    assert len(book.values("Графики 'new'", 4)) == 3

"""What readers do in the workbook stays, or moves with its line."""

import datetime as dt
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import DATE, Column, Table, daily_report
from grader_pipeline_tests.sheet.sheets_given import LABELS, metrics
from grader_pipeline_tests.sheet.sheets_given import workbook_lines as lines


def courses(day: str) -> list[Table]:
    """The daily report, and a worksheet that shows one day only."""
    date = dt.date.fromisoformat(day)
    columns = (DATE, Column("Курс", 100), Column("Юзеров", 100))
    of_day = tuple((date, name, date.day) for name in "AB")
    table = Table(columns, of_day, worksheet="Курсы", keeps_days=False)
    return [*daily_report(metrics(day)), table]


def value(sheet: Worksheet) -> None:
    sheet["E3"] = "сбой"


def note(sheet: Worksheet) -> None:
    sheet["B3"].comment = Comment("сбой", "методист")


def fill(sheet: Worksheet) -> None:
    sheet["D3"].fill = PatternFill("solid", fgColor="00FF00")


@pytest.mark.parametrize("put", [value, note, fill])
def test_a_line_that_leaves_stays_in_grey_if_readers_have_something_beside_it(
    put: object, path: Path, sheets: Sheets
) -> None:
    sheets.show(courses("2023-05-30"))
    book = load_workbook(path)
    put(book["Курсы"])  # type: ignore[operator]
    book.save(path)

    sheets.show(courses("2023-05-31"))
    shown = [(line[1], line[2]) for line in lines(path, "Курсы")[1:]]
    assert shown == [("A", 31), ("B", 31), ("B", 30)]
    fonts = [load_workbook(path)["Курсы"].cell(row, 3).font.color for row in (3, 4)]
    assert [bool(color and color.rgb == "FF999999") for color in fonts] == [False, True]
    assert not sheets.show(courses("2023-05-31")).written


def test_a_worksheet_that_was_renamed_is_followed_and_a_deleted_one_is_back_at_its_place(
    path: Path, sheets: Sheets
) -> None:
    sheets.show(courses("2023-05-30"))
    book = load_workbook(path)
    book["Лист1"].title = "Отчёт"
    book.move_sheet("Отчёт", 2)
    del book["Динамика"]
    book.save(path)

    sheets.show(courses("2023-05-31"))

    assert load_workbook(path).sheetnames == ["Курсы", "Отчёт", "Динамика"]
    assert [line[1] for line in lines(path, "Отчёт")[1:]] == [*LABELS] * 2


def test_formulas_rules_and_names_mean_the_same_cells_after_new_rows(
    path: Path, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    book = load_workbook(path)
    theirs, sheet = book.create_sheet("Моё 'x'"), book["Лист1"]
    theirs["A1"] = "=Лист1!C2+SUM('Лист1'!$C$2:$C$4)+C2"
    sheet["E3"] = "=C3/C$2+'Моё ''x'''!C2+SUM(C:C)"
    sheet["E3"].hyperlink = "https://lms.example"
    choice = DataValidation("list", formula1='"да,нет"')
    choice.add("F3")
    sheet.add_data_validation(choice)
    book.save(path)

    sheets.show(daily_report(metrics("2023-05-30", "2023-05-31")))

    book = load_workbook(path)
    theirs, sheet = book["Моё 'x'"], book["Лист1"]
    assert theirs["A1"].value == "=Лист1!C5+SUM('Лист1'!$C$5:$C$7)+C2"
    assert sheet["E6"].value == "=C6/C$5+'Моё ''x'''!C2+SUM(C:C)"
    assert (sheet["E6"].hyperlink.ref, sheet["E6"].hyperlink.target) == (
        "E6",
        "https://lms.example",
    )
    assert "F6" in [str(rule.sqref) for rule in sheet.data_validations.dataValidation]

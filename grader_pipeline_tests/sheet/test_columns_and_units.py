"""Times, shares and texts are typed cells, and a report's new columns find a former header.

Each test holds for Google Sheets and for the workbook.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.cells import fraction_of
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import DATE, Column, Table, daily_report
from grader_pipeline_tests.sheet.sheets_given import metrics

DAY = dt.date(2023, 5, 31)
COURSES = (
    DATE,
    Column("Курс", 320),
    Column("Неуспешных, включая без вердикта", 140, frozenset({"Неуспешных", "Неверных"})),
    Column("Пар", 140),
    Column("Без URL, %", 140),
)
LINES = ((DAY, "A", 3, 2, 0), (DAY, "B", 4, 1, 12.5))


class Sheet:
    """A spreadsheet, whatever it is: the texts put there by hand, what it shows, its formats."""

    put: Callable[[str, list[list[Any]]], None]
    cells: Callable[[str], list[list[Any]]]
    formats: Callable[[str, int], list[str | None]]
    bold: Callable[[str], list[bool]]


@pytest.fixture(params=["google", "workbook"])
def sheet(request: pytest.FixtureRequest) -> Sheet:
    found = Sheet()
    if request.param == "google":
        book = request.getfixturevalue("book")

        def put(title: str, lines: list[list[Any]]) -> None:
            if title not in {sheet["properties"]["title"] for sheet in book.sheets}:
                book.add_sheet(title, 7)
            for row, line in enumerate(lines):
                for column, value in enumerate(line):
                    kind = "stringValue" if isinstance(value, str) else "numberValue"
                    book.put(title, row, column, {"userEnteredValue": {kind: value}})

        def formats(title: str, column: int) -> list[str | None]:
            cells = book.sheet(title)["cells"]
            rows = range(1, 1 + max(row for row, _ in cells))
            of_cells = [cells.get((row, column), {}).get("userEnteredFormat", {}) for row in rows]
            return [found.get("numberFormat", {}).get("pattern") for found in of_cells]

        def bold(title: str) -> list[bool]:
            cells = book.sheet(title)["cells"]
            of_cells = [cells[0, column].get("userEnteredFormat", {}) for column in range(5)]
            return [bool(found.get("textFormat", {}).get("bold")) for found in of_cells]

        found.put, found.formats, found.bold = put, formats, bold
        found.cells = lambda title: book.values(title, 5)
        return found
    path = request.getfixturevalue("path")

    def put_in_workbook(title: str, lines: list[list[Any]]) -> None:
        book = Workbook()
        book.active.title = title
        for line in lines:
            book.active.append([None if cell == "" else cell for cell in line])
        book.active.freeze_panes = "A2"
        book.save(path)

    def cells(title: str) -> list[list[Any]]:
        rows = load_workbook(path)[title].iter_rows(max_col=5, values_only=True)
        return [[_as_number(cell) for cell in row] for row in rows]

    found.put, found.cells = put_in_workbook, cells
    found.formats = lambda title, column: [
        None if cell.number_format == "General" else cell.number_format
        for (cell,) in load_workbook(path)[title].iter_rows(
            min_row=2, min_col=column + 1, max_col=column + 1
        )
    ]
    found.bold = lambda title: [bool(cell.font.bold) for cell in load_workbook(path)[title][1]][:5]
    return found


def _as_number(cell: Any) -> Any:
    """A cell of the workbook as Google gives it."""
    if isinstance(cell, dt.datetime):
        return (cell.date() - dt.date(1899, 12, 30)).days
    return fraction_of(cell) if isinstance(cell, dt.time) else cell


def metric(name: str, value: object, unit: str | None, text: str | None = None) -> dict[str, Any]:
    return {"report_date": DAY, "metric": name, "label": name, "value": value, "unit": unit,
            "text": text}  # fmt: skip


def test_a_time_is_a_part_of_a_day_a_share_has_its_sign_and_a_text_is_a_text(
    sheet: Sheet, sheets: Sheets
) -> None:
    rows = [
        *metrics("2023-05-31"),
        metric("first", Decimal(190), "clock"),
        metric("midnight", Decimal(0), "clock"),
        metric("last", Decimal(1439), "clock"),
        metric("share", Decimal("57.9"), "percent"),
        metric("half", Decimal("50.0"), "percent"),
        metric("active", None, "count", "нет данных за 12 из 28 дней"),
        metric("former", Decimal("3.17"), None),
    ]
    sheets.show(daily_report(rows))
    found = [line[2] for line in sheet.cells("Лист1")[4:]]
    text = "нет данных за 12 из 28 дней"
    assert found == [190 / 1440, 0, 1439 / 1440, 57.9, 50, text, 3.17]
    percent = '" %"'
    assert sheet.formats("Лист1", 2)[3:] == [
        "hh:mm", "hh:mm", "hh:mm", f"#,##0.0#{percent}", f"#,##0.0#{percent}", None, "#,##0.0##",
    ]  # fmt: skip
    # What was written is what is read: nothing is written again, and nothing gets lost.
    assert not sheets.show(daily_report(rows)).written
    later = [{**row, "report_date": DAY + dt.timedelta(days=1)} for row in rows]
    sheets.show(daily_report([*later]))
    assert [line[2] for line in sheet.cells("Лист1")[4 + len(rows) :]] == found


@pytest.mark.parametrize(
    "header",
    [
        ["Дата отчета", "Курс", "Неуспешных"],
        ["Дата отчета", "Курс", "Неверных", "Пар"],
        ["Дата отчета", "Курс", "Неуспешных, включая без вердикта", "Пар", "Без URL, %"],
    ],
)
def test_a_former_header_with_fewer_columns_becomes_the_header(
    sheet: Sheet, sheets: Sheets, header: list[str]
) -> None:
    sheet.put("Курсы", [header, [45076, "A", 1]])
    sheets.show([Table(COURSES, LINES, worksheet="Курсы", keeps_days=False)])
    assert sheet.cells("Курсы")[0] == [column.label for column in COURSES]
    assert sheet.cells("Курсы")[1:3] == [[45077, "A", 3, 2, 0], [45077, "B", 4, 1, 12.5]]
    if header[-1] != COURSES[-1].label:
        assert all(sheet.bold("Курсы"))


@pytest.mark.parametrize(
    ("header", "line", "says"),
    [
        (["Дата отчета", "Курс", "Неуспешных", "Моё"], [45076, "A", 1], "«Пар | Без URL, %» go"),
        (["Дата отчета", "Курс", "Неверных", ""], [45076, "A", 1, "!"], "«Пар | Без URL, %» go"),
        (["Дата отчета", "Курс", "Неверных", "Пар"], [1, "A", 1, 1, 7], "«Без URL, %» go"),
        (["Дата отчета", "Курсы", "Неверных"], [45076, "A", 1], "instead of «Дата отчета"),
    ],
)
def test_cells_of_readers_where_new_columns_go_are_left_alone(
    sheet: Sheet, sheets: Sheets, header: list[str], line: list[Any], says: str
) -> None:
    sheet.put("Курсы", [header, line])
    before = sheet.cells("Курсы")
    with pytest.raises(PermanentFailure, match=r"^Wrong header: ") as caught:
        sheets.show([Table(COURSES, LINES, worksheet="Курсы", keeps_days=False)])
    assert says in str(caught.value.description)
    assert sheet.cells("Курсы") == before


def test_the_main_table_knows_the_former_labels_of_its_lines() -> None:
    rows = [metric("new_users", Decimal(3), "count"), metric("runs", Decimal(3), "count")]
    former = {"new_users": ("Новых", "Новых юзеров"), "gone": ("Ушло",)}
    table, *_ = daily_report(rows, former)
    assert table.formerly == {"new_users": ("Новых", "Новых юзеров")}

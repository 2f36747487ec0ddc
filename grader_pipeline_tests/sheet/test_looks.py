"""The looks of every worksheet: what Google accepts, what a workbook has, and what readers keep."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from grader_pipeline.reports.definition import Report
from grader_pipeline.reports.names import LONGEST_NAME
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.units import Change, Points
from grader_pipeline.sheet.google.looks import has_looks, look_requests
from grader_pipeline.sheet.looks import NAME_HINT, folded_columns
from grader_pipeline.sheet.table import Highlight, Table, daily_report
from grader_pipeline.sheet.today import today
from grader_pipeline.sheet.workbook_looks import apply_looks
from grader_pipeline.sheet.worksheets import (
    has_worksheet,
    in_order_of_use,
    names_table,
    worksheet,
)
from grader_pipeline_tests.sheet.sheets_discovery import check_body
from grader_pipeline_tests.sheet.sheets_given import LABELS, metrics

DAY = dt.date(2023, 5, 31)
SHEET = 7
SHOWN = [report for report in reports() if has_worksheet(report)]
IDS = {"course": "course-v1:S+A+1", "task": "a" * 32, "hour": 5}


def rows_of(report: Report, *days: dt.date, **cells: object) -> list[dict[str, Any]]:
    """A line of a report for each day, with a figure in each column."""
    texts = {n: IDS.get(n, "слова") for n, c in report.columns.items() if c.kind == "dimension"}
    figures = dict.fromkeys(report.columns, Decimal(50))
    extra = dict.fromkeys(report.units, None) if report.units else {}
    return [{**extra, "report_date": day, **figures, **texts, **cells} for day in days]


def every_table() -> list[Table]:
    daily = [row | {"unit": "count", "text": None} for row in metrics("2023-05-31", "2023-05-24")]
    found = [worksheet(report, rows_of(report, DAY), [DAY]) for report in SHOWN]
    named = names_table([{"course": "course-v1:S+A+1", "task": None, "name": None}])
    tables = [*daily_report(daily), *found, named]
    glance = today(daily, tables)
    assert glance
    return [glance, *tables]


TABLES = every_table()
NAMES = next(table for table in TABLES if any(column.by_readers for column in table.columns))


def named(requests: list[dict[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for request in requests:
        for name, body in request.items():
            found.setdefault(name, []).append(body)
    return found


def test_every_tab_of_google_has_a_header_that_wraps_and_stays_and_a_filter() -> None:
    for table in TABLES:
        requests = look_requests(SHEET, table, len(table.lines) + 1, is_new=True)
        check_body("BatchUpdateSpreadsheetRequest", {"requests": requests})
        found = named(requests)
        grid = found["updateSheetProperties"][0]["properties"]["gridProperties"]
        assert grid == {"frozenRowCount": 1, "frozenColumnCount": table.frozen}
        header = found["repeatCell"][0]
        assert (header["range"]["startRowIndex"], header["range"]["endRowIndex"]) == (0, 1)
        assert header["cell"]["userEnteredFormat"]["wrapStrategy"] == "WRAP"
        [filtered] = found["setBasicFilter"]
        area = filtered["filter"]["range"]
        # Without a last row: it covers the days that come later.
        assert area == {
            "sheetId": SHEET, "startRowIndex": 0,
            "startColumnIndex": 0, "endColumnIndex": len(table.columns),
        }  # fmt: skip
        assert len(found["updateDimensionProperties"]) == len(table.columns)
        rules = len(table.highlights) + any(column.by_readers for column in table.columns)
        assert len(found.get("addConditionalFormatRule", ())) == rules
        assert len(found.get("addDimensionGroup", ())) == len(folded_columns(table))


def test_google_is_given_looks_once_and_readers_keep_theirs() -> None:
    table = max(TABLES, key=lambda table: len(folded_columns(table)))
    requests = look_requests(SHEET, table, 9, is_new=True)
    [note] = named(requests)["createDeveloperMetadata"]
    sheet = {"developerMetadata": [note["developerMetadata"]]}
    assert has_looks(sheet)
    assert not has_looks({"developerMetadata": [{"metadataKey": "theirs"}]})
    assert not has_looks({})
    assert look_requests(SHEET, table, 9, is_new=False) == []
    theirs = {"basicFilter": {"range": {"sheetId": SHEET}}, "columnGroups": [{}]}
    found = named(look_requests(SHEET, table, 9, is_new=True, found=theirs))
    assert not {"setBasicFilter", "addDimensionGroup"} & found.keys()


def test_a_header_below_a_title_of_the_readers_is_what_stays_in_view() -> None:
    found = named(look_requests(SHEET, TABLES[0], 9, is_new=True, header=2))
    grid = found["updateSheetProperties"][0]["properties"]["gridProperties"]
    assert grid["frozenRowCount"] == 3
    assert found["setBasicFilter"][0]["filter"]["range"]["startRowIndex"] == 2
    [rule] = found["addConditionalFormatRule"]
    assert "E3" in rule["rule"]["booleanRule"]["condition"]["values"][0]["userEnteredValue"]


def test_no_formula_depends_on_the_language_of_the_spreadsheet() -> None:
    marked = Table(NAMES.columns, NAMES.lines, highlights=(Highlight(0, "below", 2.5),))
    texts = re.findall(
        r"'userEnteredValue': '(=[^']*)'",
        str([look_requests(SHEET, table, 2, is_new=True) for table in (*TABLES, marked)]),
    )
    assert texts
    for text in texts:
        assert not set(text) & set(",;"), text
        assert not re.search(r"\d\.\d", text), text


def fill(table: Table, book: Workbook | None = None) -> Any:
    sheet = (book or Workbook()).active
    sheet.append([column.label for column in table.columns])
    for line in table.lines:
        sheet.append(line)
    return sheet


def test_every_tab_of_the_workbook_has_a_header_that_wraps_and_stays_and_a_filter() -> None:
    for table in TABLES:
        sheet = fill(table)
        assert apply_looks(sheet, table)
        assert sheet.freeze_panes == f"{get_column_letter(table.frozen + 1)}2"
        last = get_column_letter(len(table.columns))
        assert sheet.auto_filter.ref == f"A1:{last}{len(table.lines) + 1}"
        for place, column in enumerate(table.columns, start=1):
            cell = sheet.cell(1, place)
            assert cell.alignment.wrap_text
            assert cell.font.bold
            dimension = sheet.column_dimensions[get_column_letter(place)]
            assert dimension.width == pytest.approx(column.width / 7)
        folded = [place for group in folded_columns(table) for place in range(*group)]
        assert all(sheet.column_dimensions[get_column_letter(place + 1)].hidden for place in folded)
        rules = [rule for cells in sheet.conditional_formatting for rule in cells.rules]
        assert len(rules) >= len(table.highlights)
        # Once more: nothing to do.
        assert not apply_looks(sheet, table)


def test_the_workbooks_filter_grows_with_the_table_and_stays_away_once_removed() -> None:
    table = TABLES[1]
    sheet = fill(table)
    apply_looks(sheet, table)
    sheet.column_dimensions["B"].width = 11
    sheet.append([DAY, "Ещё", 1])
    assert apply_looks(sheet, table)
    assert sheet.auto_filter.ref == f"A1:C{len(table.lines) + 2}"
    assert sheet.column_dimensions["B"].width == 11
    sheet.auto_filter.ref = None
    apply_looks(sheet, table)
    assert sheet.auto_filter.ref is None


def test_a_wide_table_keeps_what_names_a_line_in_view_and_folds_its_details() -> None:
    tasks = next(table for table in TABLES if table.worksheet == "Задания")
    assert [column.label for column in tasks.columns[: tasks.frozen]] == [
        "Дата отчета", "Курс", "Задание",
    ]  # fmt: skip
    shown = [column for column in tasks.columns if not column.is_detail]
    assert len(shown) <= 12
    assert sum(column.width for column in shown) <= 1700


def test_tabs_are_in_the_order_of_use_and_a_report_without_a_place_is_before_those_of_upkeep() -> (
    None
):
    table = TABLES[-1]
    placed = [(r.tab, worksheet(r, rows_of(r, DAY), [DAY])) for r in SHOWN]
    titles = [found.worksheet for found in in_order_of_use([*placed, (500, table)])]
    assert titles[0] == "Курсы"
    assert titles[-2:] == [table.worksheet, "Качество данных"]


def test_the_day_at_one_glance_stands_beside_the_day_and_the_week_before() -> None:
    rows = [
        row | {"unit": "count", "text": None}
        for row in metrics("2023-05-31", "2023-05-30", "2023-05-24", first=200)
    ]
    for day, share in ((31, 20), (24, 25)):
        rows.append({
            "report_date": dt.date(2023, 5, day), "metric": "success_share", "unit": "percent",
            "label": "Доля", "value": Decimal(share), "text": None,
        })  # fmt: skip
    rows[0]["value"] = Decimal(150)
    courses = next(report for report in SHOWN if report.name == "courses")
    fallen = rows_of(courses, DAY, DAY, dt.date(2023, 5, 24), attempts_change=Decimal(-60))
    fallen[1]["attempts_change"] = Decimal(-10)
    table = worksheet(courses, fallen, [DAY, dt.date(2023, 5, 24)])
    glance = today(rows, [table])
    assert glance
    lines = {line[0]: line[1:] for line in glance.lines}
    assert lines["День отчёта"][:3] == (DAY, dt.date(2023, 5, 30), dt.date(2023, 5, 24))
    assert lines[LABELS[0]] == (150, 200, 200, Change(-25))
    assert lines["Доля"] == (20, None, 25, Points(-5))
    assert isinstance(lines["Доля"][-1], Points)
    assert lines["Строк с оранжевой отметкой в отчёте «Курсы»"] == (1, None, 1, None)
    assert today([], []) is None
    # A report without lines has no worksheet, and a day that is missing is said to be.
    nothing = today(rows[:6], [worksheet(courses, [], [DAY])])
    assert nothing
    assert nothing.lines[0][1:4] == (DAY, dt.date(2023, 5, 30), "24.05.2023 не загружен")
    assert not [line for line in nothing.lines if "Курсы" in str(line[0])]
    # The main metrics are large.
    assert {line[0] for line in glance.lines[slice(*glance.large)]} == set(LABELS)
    sheet = fill(glance)
    apply_looks(sheet, glance)
    assert [cell.font.size > 11 for (cell,) in sheet.iter_rows(2, 6, 1, 1)] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_readers_see_what_a_name_may_be_where_they_write_it() -> None:
    [column] = [column for column in NAMES.columns if column.by_readers]
    for text in (column.label, NAME_HINT):
        assert str(LONGEST_NAME) in text
    assert len(NAME_HINT) <= 255  # Excel's limit
    found = named(look_requests(SHEET, NAMES, 2, is_new=True))
    [rule] = found["setDataValidation"]
    assert rule["rule"]["inputMessage"] == NAME_HINT
    assert any(
        cells["cell"]["userEnteredFormat"].get("numberFormat") == {"type": "TEXT"}
        for cells in found["repeatCell"]
    )
    sheet = fill(NAMES)
    apply_looks(sheet, NAMES)
    [validation] = sheet.data_validations.dataValidation
    assert validation.prompt == NAME_HINT

"""Looks that explain themselves: notes of marks, print, sides of cells, titles of charts."""

from grader_pipeline.sheet.google.looks import look_requests
from grader_pipeline.sheet.looks import mark_hint
from grader_pipeline.sheet.table import Highlight
from grader_pipeline.sheet.workbook_looks import apply_looks
from grader_pipeline_tests.sheet.test_looks import SHEET, TABLES, fill, named


def test_the_header_of_a_column_with_marks_says_what_a_mark_means() -> None:
    for table in TABLES:
        marked = {mark.column: mark_hint(mark) for mark in table.highlights}
        made = named(look_requests(SHEET, table, 2, is_new=True))
        notes = [cell for cell in made["repeatCell"] if cell["fields"] == "note"]
        assert {n["range"]["startColumnIndex"]: n["cell"]["note"] for n in notes} == marked
        # A worksheet that was there may have notes of the readers.
        there = named(look_requests(SHEET, table, 2, is_new=True, found={"properties": {}}))
        assert "note" not in {cell["fields"] for cell in there["repeatCell"]}
        sheet = fill(table)
        apply_looks(sheet, table)
        beside = {cell.column - 1: cell.comment.text for cell in sheet[1] if cell.comment}
        assert beside == marked
    assert mark_hint(Highlight(0, "below", -30)) == "Оранжевая отметка: меньше −30."


def test_a_printed_worksheet_is_as_wide_as_a_page_and_repeats_its_header() -> None:
    for table in TABLES:
        sheet = fill(table)
        apply_looks(sheet, table)
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.print_title_rows == "$1:$1"


def test_a_day_is_at_the_left_of_its_cell_and_no_title_of_a_chart_ends_in_a_full_stop() -> None:
    for table in TABLES:
        assert not table.by_date or table.columns[0].side == "left"
        assert not (table.chart and table.chart.title.endswith("."))
    dated = next(table for table in TABLES if table.by_date)
    sheet = fill(dated)
    apply_looks(sheet, dated)
    assert sheet["A2"].alignment.horizontal == "left"
    made = named(look_requests(SHEET, dated, 2, is_new=True))["repeatCell"]
    sides = [c["cell"]["userEnteredFormat"].get("horizontalAlignment") for c in made]
    assert "LEFT" in sides

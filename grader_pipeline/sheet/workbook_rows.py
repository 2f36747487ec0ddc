"""Inserts and deletes rows of a workbook's worksheet, as Excel does it.

What is beside a line moves with it: cells with their formats, notes and links, heights of rows,
merged cells, rules. Formulas, charts and names, on all worksheets, still mean the same cells.
openpyxl's own ``insert_rows`` moves cells only.
"""

import re
from collections.abc import Callable
from copy import copy

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.formula.tokenizer import Token, Tokenizer
from openpyxl.worksheet.cell_range import CellRange, MultiCellRange
from openpyxl.worksheet.worksheet import Worksheet

from grader_pipeline.sheet.update import Update

_REFERENCE = re.compile(
    r"(?P<sheet>(?:'(?:[^']|'')+'|[^'!:]+)!)?"
    r"(?P<left>\$?[A-Z]{0,3}\$?)(?P<top>[1-9]\d*)"
    r"(?::(?P<right>\$?[A-Z]{0,3}\$?)(?P<bottom>[1-9]\d*))?"
)

_LAST_ROW = 1_048_576

Move = Callable[[int, int], tuple[int, int] | None]
"""Gives the place of the rows from one to another after the write, counted from 1. None: gone."""


def move_rows(book: Workbook, sheet: Worksheet, update: Update) -> None:
    """Make room for the new lines of an update, and delete the rows that leave."""
    if not update.inserted and not update.leaving:
        return
    gone = {row + 1 for row in update.leaving}

    def move(top: int, bottom: int) -> tuple[int, int] | None:
        while top in gone and top <= bottom:
            top += 1
        while bottom in gone and bottom >= top:
            bottom -= 1
        if top > bottom:
            return None
        return update.moved(top - 1) + 1, min(update.moved(bottom - 1) + 1, _LAST_ROW)

    _move_cells(sheet, move)
    _move_ranges(sheet, update.header + 2, move)
    _move_references(book, sheet, update.header + 2, move)


def _move_cells(sheet: Worksheet, move: Move) -> None:
    rows = {row for row, _ in sheet._cells} | set(sheet.row_dimensions)
    places = {row: place[0] for row in rows if (place := move(row, row))}
    cells, heights = sheet._cells, dict(sheet.row_dimensions)
    sheet._cells = {}
    for (row, column), cell in cells.items():
        if row in places:
            cell.row = places[row]
            sheet._cells[cell.row, column] = cell
            if isinstance(cell, Cell) and cell.hyperlink:
                cell.hyperlink.ref = cell.coordinate
    sheet.row_dimensions.clear()
    for row, height in heights.items():
        if row in places:
            height.index = places[row]
            sheet.row_dimensions[height.index] = height


def _move_ranges(sheet: Worksheet, first: int, move: Move) -> None:
    """Rules that begin in the row ``first`` are for all lines, and so for new ones above too."""
    merged = [area for area in sheet.merged_cells.ranges if _moved(area, move)]
    sheet.merged_cells.ranges = set(merged)
    for validation in sheet.data_validations.dataValidation:
        validation.sqref = _all_moved(validation.sqref, move, first)
    rules = sheet.conditional_formatting
    sheet.conditional_formatting = ConditionalFormattingList()
    for area in rules:
        if (cells := _all_moved(area.sqref, move, first)).ranges:
            for rule in area.rules:
                sheet.conditional_formatting.add(str(cells), rule)
    if sheet.auto_filter.ref:
        area = CellRange(sheet.auto_filter.ref)
        sheet.auto_filter.ref = area.coord if _moved(area, move) else None


def _all_moved(areas: MultiCellRange, move: Move, first: int) -> MultiCellRange:
    return MultiCellRange([area for area in map(copy, areas.ranges) if _moved(area, move, first)])


def _moved(area: CellRange, move: Move, first: int | None = None) -> bool:
    """Move a range. False if all of its rows are gone."""
    place = move(area.min_row, area.max_row)
    if place:
        top = area.min_row if area.min_row == first else place[0]
        area.min_row, area.max_row = top, max(top, place[1])
    return place is not None


def _move_references(book: Workbook, sheet: Worksheet, first: int, move: Move) -> None:
    for other in book.worksheets:
        for cell in other._cells.values():
            if cell.data_type == "f" and isinstance(cell, Cell) and isinstance(cell.value, str):
                cell.value = _formula(cell.value, other is sheet, sheet.title, move)
        for chart in other._charts:
            for series in chart.series:
                sources = (
                    getattr(series, name, None) for name in ("cat", "val", "tx", "xVal", "yVal")
                )
                for source in filter(None, sources):
                    reference = getattr(source, "numRef", None) or getattr(source, "strRef", None)
                    if reference is not None:
                        reference.f = _reference(reference.f, False, sheet.title, move, first)
        for name in other.defined_names.values():
            name.attr_text = _reference(name.attr_text, False, sheet.title, move)
    for name in book.defined_names.values():
        name.attr_text = _reference(name.attr_text, False, sheet.title, move)


def _formula(text: str, is_here: bool, title: str, move: Move) -> str:
    tokens = Tokenizer(text)
    for token in tokens.items:
        if token.type == Token.OPERAND and token.subtype == Token.RANGE:
            token.value = _reference(token.value, is_here, title, move)
    return str(tokens.render())


def _reference(text: str, is_here: bool, title: str, move: Move, first: int | None = None) -> str:
    """The same cells after the move. ``is_here``: without a worksheet's name, it is this one.

    What begins in the row ``first`` still does: a chart of all lines shows those above them too.
    """
    found = _REFERENCE.fullmatch(text or "")
    if not found:
        return text
    of = (found["sheet"] or "").removesuffix("!")
    named = of[1:-1].replace("''", "'") if of.startswith("'") else of
    if named != title and not (is_here and not named):
        return text
    top = int(found["top"])
    place = move(top, int(found["bottom"] or top))
    if place is None and first is not None:
        place = first, first
    if place is None:
        return f"{found['sheet'] or ''}#REF!"
    top = top if top == first else place[0]
    end = f":{found['right']}{place[1]}" if found["bottom"] else ""
    return f"{found['sheet'] or ''}{found['left']}{top}{end}"

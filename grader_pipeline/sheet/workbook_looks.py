"""The looks of a worksheet of the workbook: header, filter, frozen cells, formats.

A worksheet is given its looks once: its header is then broken into lines. What readers change of
colours, widths and folded columns stays. Each write gives new cells their alignment, and stretches
the filter to the last line.
"""

from math import ceil

from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from grader_pipeline.sheet.looks import (
    HEADER_COLOUR,
    LARGE_SIZE,
    NAME_HINT,
    READERS_COLOUR,
    UNUSUAL_COLOUR,
    WRONG_COLOUR,
    folded_columns,
    mark_hint,
    number_formula,
    wrong_name_formula,
)
from grader_pipeline.sheet.table import Highlight, Table
from grader_pipeline.sheet.workbook_lines import alignment_of

_PIXELS_PER_CHARACTER = 7
"""The unit of a column's width: a digit."""
_PIXELS_PER_SIGN = 6.4
"""Of a text, on average."""
_PIXELS_PER_BOLD_CHARACTER = 8
_FILTER_BUTTON = 18
"""Pixels, at the end of a label's last line."""
_POINTS_PER_LINE = 15
_LAST_ROW = 1_048_576
_HEADER = Alignment(wrap_text=True, vertical="center")


def apply_looks(worksheet: Worksheet, table: Table, header: int = 1) -> bool:
    """Make the worksheet look as it shall. True if it did not before.

    ``header`` is the row of our header, from 1.
    """
    is_new = not worksheet.cell(header, 1).alignment.wrap_text
    if is_new:
        _set_header(worksheet, table, header)
        _enlarge(worksheet, table, header)
        for mark in table.highlights:
            _mark(worksheet, mark, header)
        for place, column in enumerate(table.columns, start=1):
            if column.by_readers:
                _let_readers_write(worksheet, place, header)
        for group in folded_columns(table):
            for place in range(*group):
                # Not as one dimension: then all would have one width.
                folded = worksheet.column_dimensions[get_column_letter(place + 1)]
                folded.outlineLevel, folded.hidden = 1, True
    has_new_cells = _align(worksheet, table, header)
    return _filter(worksheet, table, header, is_new=is_new) or has_new_cells or is_new


def _set_header(worksheet: Worksheet, table: Table, header: int) -> None:
    worksheet.freeze_panes = worksheet.cell(header + 1, table.frozen + 1)
    lines = 1
    for place, column in enumerate(table.columns, start=1):
        cell = worksheet.cell(header, place)
        cell.font = Font(name=cell.font.name, size=cell.font.size, bold=True)
        cell.alignment = _HEADER
        cell.fill = PatternFill("solid", fgColor=HEADER_COLOUR)
        width = worksheet.column_dimensions[get_column_letter(place)]
        width.width = column.width / _PIXELS_PER_CHARACTER
        signs = (column.width - _FILTER_BUTTON) / _PIXELS_PER_BOLD_CHARACTER
        lines = max(lines, _lines_of(column.label, signs))
    worksheet.row_dimensions[header].height = lines * _POINTS_PER_LINE + 4
    # Printed: as wide as a page, which has the header again.
    worksheet.page_setup.orientation = "landscape"
    worksheet.page_setup.paperSize = worksheet.PAPERSIZE_A4
    worksheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    worksheet.page_setup.fitToWidth, worksheet.page_setup.fitToHeight = 1, 0
    worksheet.print_title_rows = f"{header}:{header}"


def _enlarge(worksheet: Worksheet, table: Table, header: int) -> None:
    for row in range(*(header + 1 + line for line in table.large)):
        worksheet.row_dimensions[row].height = LARGE_SIZE * 1.6
        for place in range(1, len(table.columns) + 1):
            cell = worksheet.cell(row, place)
            cell.font = Font(name=cell.font.name, size=LARGE_SIZE, bold=True)


def _lines_of(text: str, signs: float) -> int:
    """Into how many lines a text is broken, of so many signs."""
    lines, used = 1, 0.0
    for word in text.split():
        if used and used + 1 + len(word) > signs:
            lines, used = lines + 1, 0.0
        lines += ceil(len(word) / signs) - 1
        used += len(word) + (1 if used else 0)
    return lines


def _mark(worksheet: Worksheet, mark: Highlight, header: int) -> None:
    letter = get_column_letter(mark.column + 1)
    cell = f"{letter}{header}"
    if mark.kind == "text":
        text = str(mark.bound).replace('"', '""')
        formula = f'ISNUMBER(SEARCH("{text}",{cell}))'
    else:
        formula = number_formula(mark, cell)
    _add_rule(worksheet, letter, header, formula, UNUSUAL_COLOUR)
    if not worksheet[cell].comment:
        worksheet[cell].comment = Comment(mark_hint(mark), "grader-pipeline")


def _let_readers_write(worksheet: Worksheet, place: int, header: int) -> None:
    """Tint a column that readers write, say what belongs there, mark what cannot be used."""
    letter = get_column_letter(place)
    cell = f"{letter}{header}"
    wrong = wrong_name_formula(cell)
    _add_rule(worksheet, letter, header, wrong, WRONG_COLOUR)
    tint = f"ISTEXT($A{header})*(ROW()>{header})"
    _add_rule(worksheet, letter, header, tint, READERS_COLOUR)
    rule = DataValidation(type="custom", formula1=f"NOT({wrong})", allow_blank=True)
    rule.errorStyle = "warning"
    rule.showInputMessage, rule.prompt = True, NAME_HINT
    rule.add(f"{cell}:{letter}{_LAST_ROW}")
    worksheet.add_data_validation(rule)


def _add_rule(worksheet: Worksheet, letter: str, header: int, formula: str, colour: str) -> None:
    rule = FormulaRule(formula=[formula], fill=PatternFill(bgColor=colour, fill_type="solid"))
    # It begins with the header: lines that are put in below it are then inside.
    worksheet.conditional_formatting.add(f"{letter}{header}:{letter}{_LAST_ROW}", rule)


def _align(worksheet: Worksheet, table: Table, header: int) -> bool:
    """Align our cells that have no alignment, and make room for long texts.

    Excel makes the room itself when it opens the file, LibreOffice does not.
    """
    found = False
    # The public attribute looks an alignment up for each cell: a quarter of what a write takes.
    alignments = [
        worksheet.parent._alignments.add(alignment_of(column)) for column in table.columns
    ]
    signs = [
        column.width / _PIXELS_PER_SIGN if column.wraps else _LAST_ROW for column in table.columns
    ]
    lines: dict[int, int] = {}
    width = len(table.columns)
    for (row, place), cell in worksheet._cells.items():
        if row <= header or place > width or (value := cell.value) is None:
            continue
        if isinstance(value, str) and len(value) > (room := signs[place - 1]):
            lines[row] = max(lines.get(row, 1), _lines_of(value, room))
        if not (cell._style and cell._style.alignmentId):
            cell._style = cell._style or StyleArray()
            cell._style.alignmentId = alignments[place - 1]
            found = True
    for row, needed in lines.items():
        if needed > 1 and worksheet.row_dimensions[row].height is None:
            worksheet.row_dimensions[row].height = needed * _POINTS_PER_LINE
            found = True
    return found


def _filter(worksheet: Worksheet, table: Table, header: int, *, is_new: bool) -> bool:
    """Stretch the filter to the last line. Readers who removed it do without, or have it wider."""
    there = worksheet.auto_filter.ref
    if not there and not is_new:
        return False
    if there and not there.startswith(f"A{header}:"):
        return False
    width = max(CellRange(there).max_col if there else 0, len(table.columns))
    last = get_column_letter(width)
    ref = f"A{header}:{last}{max(worksheet.max_row, header + 1)}"
    worksheet.auto_filter.ref = ref
    return bool(ref != there)

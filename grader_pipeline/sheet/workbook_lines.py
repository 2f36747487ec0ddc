"""Writes the lines of a table into the rows of its worksheet in the workbook."""

from collections.abc import Callable
from functools import cache

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment
from openpyxl.styles.cell_style import StyleArray
from openpyxl.worksheet.worksheet import Worksheet

from grader_pipeline.sheet.table import Column, Line, Table, number_format

_SIGNS = ("=", "+", "-", "@")


def alignment_of(column: Column) -> Alignment:
    """The alignment of a column's cells below the header."""
    # None, because False is another alignment than what is read of it: each write would add one.
    return Alignment(column.side, "center", wrap_text=column.wraps or None)


def line_writer(sheet: Worksheet, table: Table) -> Callable[[int, Line], None]:
    """Give what writes a line into a row, counted from 0. Cells of the readers' columns stay.

    A cell that is there keeps its looks. What openpyxl makes of a new one's is made once for all
    that look so: it takes twice as long as the rest.
    """
    ours = [at for at, column in enumerate(table.columns) if not column.by_readers]

    @cache
    def style_of(at: int, notation: str, is_quoted: bool) -> StyleArray:
        model = Cell(sheet)
        model.alignment = alignment_of(table.columns[at])
        model.number_format, model.quotePrefix = notation, is_quoted
        return model._style

    def write_line(row: int, line: Line) -> None:
        cells = sheet._cells  # another one once rows have moved
        for at in ours:
            value = line[at]
            notation, place = number_format(value) or "General", (row + 1, at + 1)
            # A text that begins with a sign stays a text, also when somebody edits it.
            is_quoted = isinstance(value, str) and value.startswith(_SIGNS)
            if (cell := cells.get(place)) is not None:
                cell.number_format = notation
                cell.quotePrefix = is_quoted
            elif value is None:
                continue
            else:
                style = style_of(at, notation, is_quoted)
                cell = cells[place] = Cell(sheet, *place, style_array=style)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"

    return write_line

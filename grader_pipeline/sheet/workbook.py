"""The local workbook: the report for those who have connected no Google Sheet.

It is edited in place, so that the readers' own columns and worksheets survive, and replaced
whole, so that neither a reader nor a kill ever meets half of it. Unchanged content leaves the
file untouched to the byte. One writer at a time is seen to by the caller.
"""

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.axis import DateAxis
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.files import replacing
from grader_pipeline.sheet.table import Chart, Table, Value
from grader_pipeline.sheet.update import Found, Odd, Shown, Update, update

_PIXELS_PER_CHARACTER = 7
_FIRST_CELL = re.compile(r"\$([A-Z]+)\$(\d+)")


def show(path: Path, tables: Sequence[tuple[str, Table]]) -> Shown:
    """Bring the workbook's worksheets up to date, each table on the worksheet named beside it.

    Raises PermanentFailure, leaving the file as it is, when it is no workbook of ours to edit.
    """
    link, path = str(path), path.resolve()
    book = _opened(path) if path.exists() else None
    made = book or Workbook()
    if book is None:
        made.remove(made.active)
    rows = cells = 0
    written = False
    for title, table in tables:
        is_new = title not in made.sheetnames
        sheet = made.create_sheet(title) if is_new else made[title]
        where = f"the worksheet «{title}» of {path}"
        change = update(table, lines_of(sheet, len(table.columns)), where)
        if change.cells:
            _refuse_protected(sheet, where)
            _state(sheet, table, change)
        looks = _set_looks(sheet, table)
        drawn = _draw(sheet, table, len(change.lines)) if table.chart else False
        written |= bool(change.cells) or looks or drawn
        rows += len(change.lines) - 1
        cells += change.cells
    if written:
        _replace(path, made)
    return Shown(link, rows, cells, written)


def probe(path: Path, title: str, width: int) -> Sequence[Found]:
    """Our columns of a worksheet, when workbook and worksheet are there.

    Raises PermanentFailure as a write would.
    """
    path = path.resolve()
    book = _opened(path) if path.exists() else None
    return lines_of(book[title], width) if book and title in book.sheetnames else ()


def lines_of(sheet: Worksheet, width: int) -> list[Found]:
    """Our columns as plain values."""
    return [[_value(cell) for cell in line] for line in sheet.iter_rows(max_col=width)]


def _opened(path: Path) -> Workbook:
    advice = "It was left alone. Move it away or repair it, and run the day again."
    try:
        writable = path.stat().st_mode & 0o222
        book = load_workbook(path, rich_text=True)
    except OSError as error:
        raise PermanentFailure(
            f"The workbook {path} cannot be opened ({error.strerror or error}). {advice}"
        ) from error
    except Exception as error:  # the library raises whatever the file's bytes lead it to
        raise PermanentFailure(
            f"{path} is no workbook that can be read: damaged, or under a password. {advice}"
        ) from error
    if not writable:
        raise PermanentFailure(f"The workbook {path} is marked read-only. {advice}")
    return book


def _value(cell: Cell) -> Value | Odd:
    value = cell.value
    if value is None or value == "":
        return None
    if isinstance(value, CellRichText):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == dt.time() else Odd.CELL
    if cell.data_type in {"f", "e", "b"} or not isinstance(value, str | int | float | dt.date):
        return Odd.CELL
    return value


def _refuse_protected(sheet: Worksheet, where: str) -> None:
    if sheet.protection.sheet:
        raise PermanentFailure(
            f"Protected: {where} is protected. Nothing was changed. Lift the protection and run "
            "the day again."
        )


def _state(sheet: Worksheet, table: Table, change: Update) -> None:
    for number, line in enumerate(change.stated, start=change.start + 1):
        for index, (column, value) in enumerate(zip(table.columns, line, strict=True), start=1):
            cell = sheet.cell(number, index)
            cell.value = value
            cell.number_format = column.format_of(value) or "General"
            if isinstance(value, str):
                # A text stays a text, whatever sign it begins with, also when somebody edits it.
                cell.data_type = "s"
                cell.quotePrefix = value.startswith(("=", "+", "-", "@"))


def _set_looks(sheet: Worksheet, table: Table) -> bool:
    """Freeze the header, set widths; true when that was not done yet."""
    if sheet.freeze_panes:
        return False
    sheet.freeze_panes = "A2"
    for index, column in enumerate(table.columns, start=1):
        sheet.cell(1, index).font = Font(bold=True)
        letter = get_column_letter(index)
        sheet.column_dimensions[letter].width = column.width / _PIXELS_PER_CHARACTER
    return True


def _draw(sheet: Worksheet, table: Table, lines: int) -> bool:
    """See that the chart is there once and covers all lines; true when it did not."""
    for chart in sheet._charts:  # openpyxl has no public list of them
        sources = [
            source.numRef or source.strRef
            for series in chart.series
            for source in (series.cat, series.val)
            if source and (source.numRef or source.strRef)
        ]
        if sources and all(_is_ours(source.f, sheet, table) for source in sources):
            wanted = [_stretched(source.f, lines) for source in sources]
            if wanted == [source.f for source in sources]:
                return False
            for source, reference in zip(sources, wanted, strict=True):
                source.f = reference
            return True
    sheet.add_chart(_chart(sheet, table, lines), f"{get_column_letter(len(table.columns) + 2)}2")
    return True


def _is_ours(reference: str, sheet: Worksheet, table: Table) -> bool:
    title, _, area = reference.rpartition("!")
    letters = {get_column_letter(index) for index, _ in enumerate(table.columns, start=1)}
    used = set(re.findall(r"\$([A-Z]+)\$", area))
    return title.strip("'").replace("''", "'") == sheet.title and used <= letters


def _stretched(reference: str, lines: int) -> str:
    """Make a chart's source, one column of ours, reach to the table's last line."""
    title, _, area = reference.rpartition("!")
    found = _FIRST_CELL.match(area)
    if found is None:
        return reference
    column, first = found.groups()
    last = f":${column}${lines}" if int(first) < lines else ""
    return f"{title}!${column}${first}{last}"


def _chart(sheet: Worksheet, table: Table, lines: int) -> LineChart | BarChart:
    wanted = table.chart or Chart("")
    chart = LineChart() if wanted.kind == "line" else BarChart()
    chart.title = wanted.title
    chart.width, chart.height = 24, 11
    chart.legend.position = "b"
    if table.columns[wanted.axis].kind == "date":
        chart.x_axis = DateAxis(crossAx=100)
        chart.x_axis.number_format = "dd.mm"
        chart.y_axis.crossAx = 500
    # Unset, newer Excel hides both axes.
    chart.x_axis.delete = chart.y_axis.delete = False
    for place in wanted.drawn(len(table.columns)):
        values = Reference(sheet, min_col=place + 1, min_row=1, max_row=lines)
        chart.add_data(values, titles_from_data=True)
    axis = Reference(sheet, min_col=wanted.axis + 1, min_row=2, max_row=lines)
    chart.set_categories(axis)
    return chart


def _replace(path: Path, book: Workbook) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(path, mode=0o666, one_writer=True) as file:
            book.save(file)
    except OSError as error:
        raise PermanentFailure(
            f"The workbook {path} cannot be written ({error.strerror or error}). It is as it was. "
            "Close it where it is open, see that the disk has room and that GRADER_HOME may be "
            "written, and run the day again."
        ) from error

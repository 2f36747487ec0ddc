"""The local workbook: the sheet while no Google Sheet is configured.

A write reads the workbook, changes our columns, and replaces the file in one step. The readers' own
columns and worksheets stay. Nobody reads half a workbook, also after a kill. If nothing differs,
the file is not written. The caller allows one writer at a time.
"""

import datetime as dt
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.axis import DateAxis
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter, range_to_tuple
from openpyxl.worksheet import _writer
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from grader_pipeline import full_disk
from grader_pipeline.atomic_files import replacing
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.table import DATE, Chart, Table, Value, number_format
from grader_pipeline.sheet.update import Found, Odd, Update, Written, compare

_PIXELS_PER_CHARACTER = 7


def show(path: Path, tables: Sequence[tuple[str, Table]]) -> Written:
    """Make the workbook show the tables, each on the worksheet named beside it.

    Raises PermanentFailure if the file cannot be read, edited or written. It is then as it was.
    """
    link, path = str(path), path.resolve()
    book = _opened(path)
    if book is None:
        book = Workbook()
        book.remove(book.active)
    lines = cells = 0
    written = False
    for title, table in tables:
        if not table.lines and table.worksheet and title not in book.sheetnames:
            continue
        sheet = book[title] if title in book.sheetnames else book.create_sheet(title)
        where = f"the worksheet «{title}» of {path}"
        update = compare(table, _lines_of(sheet, len(table.columns)), where)
        if update.cells:
            if sheet.protection.sheet:
                raise PermanentFailure(
                    f"Protected: {where} is protected. Nothing was changed. Lift the protection "
                    "and run the day again."
                )
            _write(sheet, update)
        headed = _set_header(sheet, table)
        charted = _set_chart(sheet, table, max(len(update.lines), 2))
        written |= bool(update.cells) or headed or charted
        lines += len(update.lines) - 1
        cells += update.cells
    if written:
        _replace(path, book)
    return Written(link, lines, cells, written)


def probe(path: Path, title: str, width: int) -> Sequence[Found]:
    """Read our columns of a worksheet, if workbook and worksheet exist.

    Raises PermanentFailure as a write does.
    """
    book = _opened(path.resolve())
    return _lines_of(book[title], width) if book and title in book.sheetnames else ()


def _lines_of(sheet: Worksheet, width: int) -> list[Found]:
    return [[_value(cell) for cell in line] for line in sheet.iter_rows(max_col=width)]


def _opened(path: Path) -> Workbook | None:
    if not path.exists():
        return None
    advice = "It was left alone. Move it away or repair it, and run the day again."
    try:
        writable = path.stat().st_mode & 0o222
        book = load_workbook(path, rich_text=True)
    except OSError as error:
        raise PermanentFailure(
            f"The workbook {path} cannot be opened ({error.strerror or error}). {advice}"
        ) from error
    except Exception as error:  # the library raises errors of any kind for damaged files
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
    if cell.data_type in {"f", "e", "b"} or not isinstance(
        value, str | int | float | dt.date | dt.time
    ):
        return Odd.CELL
    return value


def _write(sheet: Worksheet, update: Update) -> None:
    if update.start == 0:
        _embolden(sheet, len(update.lines[0]))
    for number, line in enumerate(update.differing, start=update.start + 1):
        for index, value in enumerate(line, start=1):
            cell = sheet.cell(number, index)
            cell.value = value
            cell.number_format = number_format(value) or "General"
            if isinstance(value, str):
                # A text that begins with a sign stays a text, also when somebody edits it.
                cell.data_type = "s"
                cell.quotePrefix = value.startswith(("=", "+", "-", "@"))


def _embolden(sheet: Worksheet, columns: int) -> None:
    for index in range(1, columns + 1):
        sheet.cell(1, index).font = Font(bold=True)


def _set_header(sheet: Worksheet, table: Table) -> bool:
    """Make the header bold, freeze it and set widths. True if that was not done before."""
    if sheet.freeze_panes:
        return False
    sheet.freeze_panes = "A2"
    _embolden(sheet, len(table.columns))
    for index, column in enumerate(table.columns, start=1):
        letter = get_column_letter(index)
        sheet.column_dimensions[letter].width = column.width / _PIXELS_PER_CHARACTER
    return True


def _set_chart(sheet: Worksheet, table: Table, lines: int) -> bool:
    """Add the chart, if any, or make it cover all lines. True if it did not before."""
    if table.chart is None:
        return False
    for chart in sheet._charts:  # openpyxl has no public list
        sources = [
            source.numRef or source.strRef
            for series in chart.series
            for source in (series.cat, series.val)
            if source and (source.numRef or source.strRef)
        ]
        wanted = [_stretched(source.f, sheet, table, lines) for source in sources]
        if wanted and None not in wanted:
            is_new = wanted != [source.f for source in sources]
            for source, cells in zip(sources, wanted, strict=True):
                source.f = cells
            return is_new
    sheet.add_chart(
        _new_chart(sheet, table, table.chart, lines),
        f"{get_column_letter(len(table.columns) + 2)}2",
    )
    return True


def _stretched(cells: str, sheet: Worksheet, table: Table, lines: int) -> str | None:
    """The cells that a chart shows, down to the last line; None if they are not in our columns."""
    try:
        title, (left, top, right, bottom) = range_to_tuple(cells)
    except ValueError:
        return None
    if title != sheet.title or right > len(table.columns):
        return None
    # A whole column has no first row.
    if top is None or bottom == (last := max(lines, top)):
        return cells
    return str(Reference(sheet, left, top, right, last))


def _new_chart(sheet: Worksheet, table: Table, wanted: Chart, lines: int) -> LineChart | BarChart:
    chart = LineChart() if wanted.kind == "line" else BarChart()
    chart.title = wanted.title
    chart.width, chart.height = 24, 11
    chart.legend.position = "b"
    if table.columns[wanted.axis] == DATE:
        chart.x_axis = DateAxis(crossAx=100)
        chart.x_axis.number_format = "dd.mm"
        chart.y_axis.crossAx = 500
    # Newer Excel hides both axes if this is not set.
    chart.x_axis.delete = chart.y_axis.delete = False
    for place in wanted.series:
        values = Reference(sheet, min_col=place + 1, min_row=1, max_row=lines)
        chart.add_data(values, titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=wanted.axis + 1, min_row=2, max_row=lines))
    return chart


def _replace(path: Path, book: Workbook) -> None:
    content = _content(book)
    try:
        with full_disk.room(path.parent, "GRADER_HOME", needed=len(content)):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, mode=0o666, one_writer=True) as file:
                file.write(content)
    except OSError as error:
        raise PermanentFailure(
            f"The workbook {path} cannot be written ({error.strerror or error}). It is as it was. "
            "Close it where it is open, see that GRADER_HOME may be written, and run the day again."
        ) from error


def _content(book: Workbook) -> memoryview:
    """The workbook as a file has it. The library writes each worksheet to TMPDIR first."""
    content = io.BytesIO()
    try:
        # Closes the archive after a failure too, as book.save() does not.
        with (
            full_disk.room(Path(tempfile.gettempdir()), "TMPDIR"),
            ZipFile(content, "w", ZIP_DEFLATED) as archive,
        ):
            book.properties.modified = dt.datetime.now(dt.UTC).replace(tzinfo=None)
            ExcelWriter(book, archive).save()
    except BaseException:
        # After a success it has removed these. A forked run ends without its exit handler.
        _writer._openpyxl_shutdown()
        raise
    return content.getbuffer()

"""The local workbook: the sheet while no Google Sheet is configured.

A write reads the workbook, changes our columns, inserts rows for new lines, and replaces the file
in one step. What readers have beside a line moves with it, and their worksheets stay. Nobody reads
half a workbook, also after a kill. If nothing differs, the file is not written. The caller allows
one writer at a time.
"""

import datetime as dt
import io
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.styles import Font
from openpyxl.utils.indexed_list import IndexedList
from openpyxl.worksheet import _writer
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from grader_pipeline import full_disk
from grader_pipeline.atomic_files import replacing
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.cells import Found, Odd, Plain, plain
from grader_pipeline.sheet.matching import figures
from grader_pipeline.sheet.table import Line, Table
from grader_pipeline.sheet.update import Looked, Update, Written, decide, settle
from grader_pipeline.sheet.workbook_cells import handle_plain_cells
from grader_pipeline.sheet.workbook_chart import Place, set_charts
from grader_pipeline.sheet.workbook_lines import line_writer
from grader_pipeline.sheet.workbook_looks import apply_looks
from grader_pipeline.sheet.workbook_rows import move_rows
from grader_pipeline.sheet.workbook_tabs import find_worksheet, mark_worksheet, new_worksheet

_PLAIN = {("n", int), ("n", float), ("s", str)}
_GREY = "FF999999"
"""The colour of a line that is over, and stays for what readers have beside it."""


def show(path: Path, tables: Sequence[tuple[str, Table]]) -> Written:
    """Make the workbook show the tables, each on the worksheet named beside it.

    Raises PermanentFailure if the file cannot be read, edited or written. It is then as it was.
    """
    link, path = str(path), path.resolve()
    book = _opened(path)
    if book is None:
        book = Workbook()
        book.remove(book.active)
    written = edit(book, tables, str(path))
    if written.written:
        _replace(path, book)
    return replace(written, where=link)


def edit(book: Workbook, tables: Sequence[tuple[str, Table]], name: str) -> Written:
    """Make an open workbook show the tables. ``name`` names it in errors."""
    lines = cells = 0
    written = False
    readers = {}
    placed: dict[str, Place] = {}
    there = [find_worksheet(book, title) for title, _ in tables]
    for place, (title, table) in enumerate(tables):
        sheet = there[place]
        if not table.lines and table.worksheet and not sheet:
            continue
        if sheet is None:
            sheet = there[place] = new_worksheet(book, title, there, place)
        where = f"the worksheet «{title}» of {name}"
        update = decide(table, _lines_of(sheet, len(table.columns)), where)
        looked = _looked(sheet, table, [*update.leaving, *update.changed])
        update = settle(update, looked)
        if update.cells:
            if sheet.protection.sheet:
                raise PermanentFailure(
                    f"Protected: {where} is protected. Nothing was changed. Lift the protection "
                    "and run the day again."
                )
            _write(book, sheet, table, update)
        written |= bool(update.cells)
        written |= mark_worksheet(sheet, title)
        written |= apply_looks(sheet, table, update.header + 1)
        last = max(update.end, update.header + 2)
        placed[title] = Place(sheet, table, update.header + 1, last)
        lines += len(table.lines)
        cells += update.cells
        if any(column.by_readers for column in table.columns):
            readers[title] = update.lines
    written |= set_charts(book, placed)
    return Written(name, lines, cells, written, readers)


def probe(path: Path, title: str, table: Table) -> Sequence[Found]:
    """Read our columns of a worksheet, if workbook and worksheet exist.

    Raises PermanentFailure as a write does.
    """
    book = _opened(path.resolve())
    sheet = find_worksheet(book, title) if book else None
    return _lines_of(sheet, len(table.columns)) if sheet else ()


def _lines_of(sheet: Worksheet, width: int) -> Sequence[Found]:
    found: list[list[Plain | Odd]] = [
        [None] * width for _ in range(max((row for row, _ in sheet._cells), default=0))
    ]
    for (row, column), cell in sheet._cells.items():
        if column <= width:
            found[row - 1][column - 1] = _value(cell)
    return found


def _opened(path: Path) -> Workbook | None:
    handle_plain_cells()
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
    # Each write of an earlier release left styles a further time. No cell knows them by number.
    book._cell_styles = IndexedList(dict.fromkeys(book._cell_styles))
    return book


def _value(cell: Cell) -> Plain | Odd:
    value, kind = cell.value, cell.data_type
    if value is None or value == "":
        return None
    if (kind, value.__class__) in _PLAIN:  # nearly all
        return value  # type: ignore[no-any-return]
    if isinstance(value, CellRichText):
        return str(value)
    if isinstance(value, dt.datetime):
        return plain(value.date()) if value.time() == dt.time() else Odd.CELL
    if kind in {"f", "e", "b"} or not isinstance(value, str | int | float | dt.date | dt.time):
        return Odd.CELL
    return plain(value)


def _looked(sheet: Worksheet, table: Table, rows: Sequence[int]) -> dict[int, Looked]:
    """Look what some rows have beside our values."""
    width = max(sheet.max_column, len(table.columns)) if rows else 0
    by_readers = {at for at, column in enumerate(table.columns) if column.by_readers}
    found = {}
    for row in rows:
        cells = [sheet._cells.get((row + 1, at + 1)) for at in range(width)]
        there = [(at, cell) for at, cell in enumerate(cells) if cell is not None]
        has_readers = any(
            cell.comment
            or ((at >= len(table.columns) or at in by_readers) and cell.value is not None)
            # We tint the cells that readers write.
            or (at not in by_readers and _is_filled(cell))
            for at, cell in there
        )
        color = cells[0].font.color if cells and cells[0] is not None else None
        found[row] = Looked(has_readers, is_grey=bool(color and color.rgb == _GREY))
    return found


def _is_filled(cell: Cell) -> bool:
    # The number 0 is that of no fill. openpyxl's public attribute is slow.
    return bool(cell._style and cell._style.fillId and cell.fill.fill_type)


def _write(book: Workbook, sheet: Worksheet, table: Table, update: Update) -> None:
    """Write what changes, then move the rows, then fill the new ones."""
    write_line = line_writer(sheet, table)
    if update.heading:
        _write_heading(sheet, update.header, update.heading)
    for row, line in update.changed.items():
        write_line(row, line)
    for row in update.blanked:
        for at in figures(table):
            sheet.cell(row + 1, at + 1).value = None
    for rows, color in ((update.greyed, _GREY), (update.lit, None)):
        for row in rows:
            for at in range(len(table.columns)):
                cell = sheet.cell(row + 1, at + 1)
                cell.font = Font(name=cell.font.name, size=cell.font.size, color=color)
    move_rows(book, sheet, update)
    for before, lines in sorted(update.inserted.items()):
        for row, line in enumerate(lines, start=update.moved(before) - len(lines)):
            write_line(row, line)


def _write_heading(sheet: Worksheet, row: int, labels: Line) -> None:
    for index, label in enumerate(labels, start=1):
        cell = sheet.cell(row + 1, index)
        cell.value, cell.data_type, cell.number_format = label, "s", "General"
        cell.font = Font(name=cell.font.name, size=cell.font.size, bold=True)


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

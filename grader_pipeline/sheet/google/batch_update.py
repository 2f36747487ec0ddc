"""Worksheets in the Sheets API's JSON: the requests of a write.

Plain functions without a connection. Rows that change are written at their old places. Then, from
below, rows that leave are deleted and new ones inserted. Of a row that was there, no
request changes a cell right of our columns.
"""

import datetime as dt
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from grader_pipeline.sheet.cells import DAY_ZERO, fraction_of
from grader_pipeline.sheet.matching import figures
from grader_pipeline.sheet.table import Line, Table, Value, number_format
from grader_pipeline.sheet.update import Update

Sheet = dict[str, Any]
"""A worksheet as ``spreadsheets.get`` gives it."""

Request = dict[str, Any]
"""One of the requests of ``spreadsheets.batchUpdate``."""

Requests = Iterator[Request]

GREY = {"red": 0.6, "green": 0.6, "blue": 0.6}
"""The colour of a line that is over, and stays for what readers have beside it."""

_COLORS = "".join(
    f",userEnteredFormat.{name}"
    for name in ("backgroundColor", "backgroundColorStyle", "textFormat")
)
"""What a new row does not take over from the one below it: readers mark lines by it."""

SPARE_LINES = 1000
"""So many rows a new worksheet has below its lines."""

_NEW_SHEET_COLUMNS = 26


def own_sheet_id(title: str) -> int:
    """Give the id of a worksheet that we make. It is the same in a retry, which makes no second."""
    return zlib.crc32(f"grader_pipeline worksheet {title}".encode()) & 0x7FFFFFFF


def sheet_id(sheet: Sheet) -> int:
    """Give the worksheet's id. The API leaves out a zero."""
    return int(sheet["properties"].get("sheetId", 0))


def is_protected(sheet: Sheet, table: Table, update: Update) -> bool:
    """Whether a protected range has rows of the pipeline that differ, and we may not write them."""
    rows = {
        *([update.header] if update.heading else ()),
        *update.changed,
        *update.leaving,
        *update.greyed,
        *update.inserted,
    }
    return any(
        not protected.get("warningOnly")
        and not protected.get("requestingUserCanEdit")
        and not protected.get("unprotectedRanges")
        and (cells := protected.get("range", {})).get("startColumnIndex", 0) < len(table.columns)
        and any(
            cells.get("startRowIndex", 0) <= row < cells.get("endRowIndex", row + 1) for row in rows
        )
        for protected in sheet.get("protectedRanges", ())
    )


def new_worksheet(title: str, place: int, table: Table) -> list[Request]:
    """Make a worksheet at this place among the tabs, large enough for the readers' columns."""
    made = {
        "sheetId": own_sheet_id(title),
        "title": title,
        "index": place,
        "gridProperties": {
            "rowCount": SPARE_LINES,
            "columnCount": max(_NEW_SHEET_COLUMNS, len(table.columns) + 2),
        },
    }
    return [{"addSheet": {"properties": made}}]


def enlarge(sheet: Sheet, table: Table, update: Update) -> list[Request]:
    """Make the worksheet large enough."""
    grid = sheet["properties"].get("gridProperties", {})
    width = len(table.columns) + (2 if table.chart else 0)
    # Google refuses to delete all rows that are not frozen, and to insert at the end.
    least = {"rowCount": update.header + 2 + len(update.leaving), "columnCount": width}
    wanted = {name: count for name, count in least.items() if grid.get(name, 0) < count}
    if not wanted:
        return []
    properties = {"sheetId": sheet_id(sheet), "gridProperties": wanted}
    fields = ",".join(f"gridProperties.{name}" for name in wanted)
    return [{"updateSheetProperties": {"properties": properties, "fields": fields}}]


def _bold(ident: int, table: Table, row: int) -> Request:
    bold = {
        "range": area(ident, (row, row + 1), (0, len(table.columns))),
        "cell": {"userEnteredFormat": {"textFormat": {"bold": True}}},
        "fields": "userEnteredFormat.textFormat.bold",
    }
    return {"repeatCell": bold}


def line_requests(ident: int, table: Table, update: Update, rows: int, columns: int) -> Requests:
    """Write the lines that differ. The grid has so many rows and columns."""
    if update.heading:
        every = range(len(table.columns))
        yield from _write(ident, every, update.header, [update.heading], "")
        yield _bold(ident, table, update.header)
    for start, end in _runs(update.changed):
        lines = [update.changed[row] for row in range(start, end)]
        yield from _write(ident, _ours(table), start, lines, "")
    for rows_of_color, color in ((update.greyed, {"foregroundColor": GREY}), (update.lit, {})):
        for start, end in _runs(rows_of_color):
            yield {
                "repeatCell": {
                    "range": area(ident, (start, end), (0, len(table.columns))),
                    "cell": {"userEnteredFormat": {"textFormat": color}},
                    "fields": "userEnteredFormat.textFormat.foregroundColor,"
                    "userEnteredFormat.textFormat.foregroundColorStyle",
                }
            }
    for row in update.blanked:
        for left, right in _runs(figures(table)):
            empty = {"range": area(ident, (row, row + 1), (left, right)), "rows": []}
            yield {"updateCells": {**empty, "fields": "userEnteredValue"}}
    yield from _moves(ident, table, update, rows, columns)


def _moves(ident: int, table: Table, update: Update, rows: int, columns: int) -> Requests:
    """Delete and insert rows, from below: the rows above are still where they were."""
    steps: list[tuple[int, int, tuple[Line, ...]]] = []
    for start, end in _runs(update.leaving):
        cuts = [start, *(row for row in sorted(update.inserted) if start < row < end), end]
        steps += [(first, last, ()) for first, last in pairwise(cuts)]
    steps += [(before, before, lines) for before, lines in update.inserted.items()]
    for start, end, lines in sorted(steps, key=lambda step: (step[0], step[1]), reverse=True):
        if not lines:
            yield {"deleteDimension": {"range": _rows(ident, start, end)}}
            continue
        new = _rows(ident, start, start + len(lines))
        # The new rows get the formats of the row below, which is a line as they are.
        yield {"insertDimension": {"range": new, "inheritFromBefore": start >= rows}}
        if columns > len(table.columns):
            yield {
                "repeatCell": {
                    "range": area(
                        ident, (start, start + len(lines)), (len(table.columns), columns)
                    ),
                    "cell": {},
                    "fields": _COLORS.removeprefix(","),
                }
            }
        yield from _write(ident, _ours(table), start, lines, _COLORS)


def _write(
    ident: int, columns: Iterable[int], row: int, lines: Sequence[Line], more_fields: str
) -> Requests:
    """Write these columns of some rows, values and number formats."""
    for left, right in _runs(columns):
        rows = [{"values": [_cell(value) for value in line[left:right]]} for line in lines]
        written = area(ident, (row, row + len(lines)), (left, right))
        fields = f"userEnteredValue,userEnteredFormat.numberFormat{more_fields}"
        yield {"updateCells": {"range": written, "rows": rows, "fields": fields}}


def _ours(table: Table) -> list[int]:
    """The columns that we write."""
    return [index for index, column in enumerate(table.columns) if not column.by_readers]


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers that follow each other as half-open ranges."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return found


def _rows(ident: int, start: int, end: int) -> dict[str, Any]:
    return {"sheetId": ident, "dimension": "ROWS", "startIndex": start, "endIndex": end}


def area(ident: int, lines: tuple[int, int], columns: tuple[int, int]) -> dict[str, int]:
    """The cells of these lines and columns, half-open, of a worksheet."""
    return {
        "sheetId": ident,
        "startRowIndex": lines[0],
        "endRowIndex": lines[1],
        "startColumnIndex": columns[0],
        "endColumnIndex": columns[1],
    }


def _cell(value: Value) -> dict[str, Any]:
    """Write a cell by the type of its value. A text that begins with a sign stays a text."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"userEnteredValue": {"stringValue": value}}
    kind, number = "NUMBER", value
    if isinstance(value, dt.date):
        kind, number = "DATE", (value - DAY_ZERO).days
    if isinstance(value, dt.time):
        kind, number = "TIME", fraction_of(value)
    return {
        "userEnteredValue": {"numberValue": number},
        "userEnteredFormat": {"numberFormat": {"type": kind, "pattern": number_format(value)}},
    }

"""Worksheets in the Sheets API's JSON: what was read, and the requests of a write.

Plain functions without a connection. Each request is absolute (cells by their place, worksheets by
ids that we choose), so applying it twice has the effect of once. No request changes a cell right of
our columns.
"""

import datetime as dt
import zlib
from collections.abc import Sequence
from typing import Any

from gspread.utils import absolute_range_name, rowcol_to_a1

from grader_pipeline.sheet.table import Table, Value, number_format
from grader_pipeline.sheet.update import (
    DAY_ZERO,
    Found,
    Odd,
    Update,
    fraction_of,
    time_of,
)

Sheet = dict[str, Any]
"""A worksheet as ``spreadsheets.get`` gives it."""

Request = dict[str, Any]
"""One of the requests of ``spreadsheets.batchUpdate``."""

SHEET_FIELDS = (
    "properties(sheetId,title,gridProperties(rowCount,columnCount,frozenRowCount)),"
    "protectedRanges(range,warningOnly,requestingUserCanEdit,unprotectedRanges),"
    "charts(chartId,spec)"
)
CELL_FIELDS = "data(startRow,rowData(values(userEnteredValue,userEnteredFormat(numberFormat))))"

_SPARE_LINES = 1000
_NEW_SHEET_COLUMNS = 26


def own_sheet_id(title: str) -> int:
    """Give the id of a worksheet that we make. It is the same in a retry, which makes no second."""
    return zlib.crc32(f"grader_pipeline worksheet {title}".encode()) & 0x7FFFFFFF


def find_worksheet(sheets: Sequence[Sheet], title: str) -> Sheet | None:
    """Find the worksheet of that title, or the one that we made with it and readers renamed."""
    by_title = [sheet for sheet in sheets if sheet["properties"].get("title") == title]
    by_id = [sheet for sheet in sheets if sheet_id(sheet) == own_sheet_id(title)]
    return next(iter(by_title + by_id), None)


def sheet_id(sheet: Sheet) -> int:
    """Give the worksheet's id. The API leaves out a zero."""
    return int(sheet["properties"].get("sheetId", 0))


def columns_of(title: str, width: int) -> str:
    """Name the leftmost columns of a worksheet in A1 notation."""
    return absolute_range_name(title, "A:" + rowcol_to_a1(1, width).removesuffix("1"))


def lines_of(sheet: Sheet, width: int) -> list[Found]:
    """Read our columns as plain values."""
    lines: list[Found] = []
    for block in sheet.get("data", ()):
        lines += [()] * (block.get("startRow", 0) - len(lines))
        for row in block.get("rowData", ()):
            lines.append([_value(cell) for cell in row.get("values", ())])
    return [(*line[:width], *[None] * (width - len(line))) for line in lines]


def _value(cell: dict[str, Any]) -> Value | Odd:
    entered = cell.get("userEnteredValue") or {}
    if not entered or entered.get("stringValue") == "":
        return None
    if "stringValue" in entered:
        return str(entered["stringValue"])
    if "numberValue" not in entered:
        return Odd.CELL
    number = entered["numberValue"]
    kind = cell.get("userEnteredFormat", {}).get("numberFormat", {}).get("type")
    if kind == "TIME":
        return time_of(number)
    if number != int(number):
        return float(number)
    return DAY_ZERO + dt.timedelta(days=number) if kind == "DATE" else int(number)


def is_protected(sheet: Sheet, update: Update) -> bool:
    """Whether a protected range has lines that differ, and we may not write them."""
    return any(
        not protected.get("warningOnly")
        and not protected.get("requestingUserCanEdit")
        and not protected.get("unprotectedRanges")
        and (cells := protected.get("range", {})).get("startColumnIndex", 0) < len(update.lines[0])
        and cells.get("startRowIndex", 0) < update.end
        and cells.get("endRowIndex", update.end) > update.start
        for protected in sheet.get("protectedRanges", ())
    )


def new_worksheet(title: str, table: Table, update: Update) -> list[Request]:
    """Make a worksheet, large enough for the table and the readers' columns."""
    made = {
        "sheetId": own_sheet_id(title),
        "title": title,
        "gridProperties": {
            "rowCount": len(update.lines) + _SPARE_LINES,
            "columnCount": max(_NEW_SHEET_COLUMNS, len(table.columns) + 2),
            "frozenRowCount": 1,
        },
    }
    return [{"addSheet": {"properties": made}}, *_header(own_sheet_id(title), table)]


def enlarge(sheet: Sheet, table: Table, update: Update) -> list[Request]:
    """Make the worksheet large enough. Freeze and format the header if that was not done."""
    grid = sheet["properties"].get("gridProperties", {})
    width = len(table.columns) + (2 if table.chart else 0)
    least = {"rowCount": len(update.lines), "columnCount": width, "frozenRowCount": 1}
    wanted = {name: count for name, count in least.items() if grid.get(name, 0) < count}
    if "rowCount" in wanted:
        wanted["rowCount"] += _SPARE_LINES
    is_headed = "frozenRowCount" not in wanted
    header = [] if is_headed else _header(sheet_id(sheet), table)
    if is_headed and update.cells and update.start == 0:
        # It has new columns.
        header = [_bold(sheet_id(sheet), table)]
    if not wanted:
        return header
    properties = {"sheetId": sheet_id(sheet), "gridProperties": wanted}
    fields = ",".join(f"gridProperties.{name}" for name in wanted)
    request = {"updateSheetProperties": {"properties": properties, "fields": fields}}
    return [request, *header]


def _header(ident: int, table: Table) -> list[Request]:
    """Set the widths of columns and make the header bold."""
    requests: list[Request] = []
    for at, column in enumerate(table.columns):
        of = {"sheetId": ident, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}
        width = {"range": of, "properties": {"pixelSize": column.width}, "fields": "pixelSize"}
        requests.append({"updateDimensionProperties": width})
    return [*requests, _bold(ident, table)]


def _bold(ident: int, table: Table) -> Request:
    bold = {
        "range": area(ident, (0, 1), (0, len(table.columns))),
        "cell": {"userEnteredFormat": {"textFormat": {"bold": True}}},
        "fields": "userEnteredFormat.textFormat.bold",
    }
    return {"repeatCell": bold}


def update_cells(ident: int, update: Update) -> Request:
    """Write the lines that differ, our columns only. Lines after the table become empty."""
    rows = [{"values": [_cell(value) for value in line]} for line in update.differing]
    written = area(ident, (update.start, update.end), (0, len(update.lines[0])))
    fields = "userEnteredValue,userEnteredFormat.numberFormat"
    return {"updateCells": {"range": written, "rows": rows, "fields": fields}}


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

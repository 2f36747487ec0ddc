"""Worksheets in the Sheets API's JSON: what was read, and the requests of a write.

Plain functions without a connection. Each request is absolute (cells by their place, worksheets by
ids that we choose): to apply it twice is to apply it once. No request changes a cell right of our
columns.
"""

import datetime as dt
import zlib
from collections.abc import Sequence
from typing import Any

from gspread.utils import rowcol_to_a1

from grader_pipeline.sheet.table import Column, Table, Value
from grader_pipeline.sheet.update import DAY_ZERO, Found, Odd, Update

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

_VALUE_AND_FORMAT = "userEnteredValue,userEnteredFormat.numberFormat"
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
    quoted = title.replace("'", "''")
    last = rowcol_to_a1(1, width).removesuffix("1")
    return f"'{quoted}'!A:{last}"


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
    if number != int(number):
        return float(number)
    return DAY_ZERO + dt.timedelta(days=number) if kind == "DATE" else int(number)


def is_protected(sheet: Sheet, update: Update) -> bool:
    """Whether a protected range has lines that differ, and we may not write them."""
    return any(
        not protected.get("warningOnly")
        and not protected.get("requestingUserCanEdit")
        and not protected.get("unprotectedRanges")
        and (area := protected.get("range", {})).get("startColumnIndex", 0) < len(update.lines[0])
        and area.get("startRowIndex", 0) < update.end
        and area.get("endRowIndex", update.end) > update.start
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
    wanted: dict[str, int] = {}
    if grid.get("rowCount", 0) < len(update.lines):
        wanted["rowCount"] = len(update.lines) + _SPARE_LINES
    if grid.get("columnCount", 0) < width:
        wanted["columnCount"] = width
    is_new = not grid.get("frozenRowCount")
    if is_new:
        wanted["frozenRowCount"] = 1
    if not wanted:
        return []
    properties = {"sheetId": sheet_id(sheet), "gridProperties": wanted}
    fields = ",".join(f"gridProperties.{name}" for name in wanted)
    request = {"updateSheetProperties": {"properties": properties, "fields": fields}}
    return [request, *(_header(sheet_id(sheet), table) if is_new else [])]


def _header(ident: int, table: Table) -> list[Request]:
    """Set the widths of columns and make the header bold."""
    requests: list[Request] = [
        {
            "updateDimensionProperties": {
                "range": {
                    "sheetId": ident,
                    "dimension": "COLUMNS",
                    "startIndex": index,
                    "endIndex": index + 1,
                },
                "properties": {"pixelSize": column.width},
                "fields": "pixelSize",
            }
        }
        for index, column in enumerate(table.columns)
    ]
    bold = {
        "range": _area(ident, 0, 1, len(table.columns)),
        "cell": {"userEnteredFormat": {"textFormat": {"bold": True}}},
        "fields": "userEnteredFormat.textFormat.bold",
    }
    return [*requests, {"repeatCell": bold}]


def update_cells(ident: int, columns: Sequence[Column], update: Update) -> Request:
    """Write the lines that differ, our columns only. Lines after the table become empty."""
    rows = [
        {"values": [_cell(c, v) for c, v in zip(columns, line, strict=True)]}
        for line in update.differing
    ]
    area = _area(ident, update.start, update.end, len(columns))
    return {"updateCells": {"range": area, "rows": rows, "fields": _VALUE_AND_FORMAT}}


def _area(ident: int, start: int, end: int, width: int) -> dict[str, int]:
    return {
        "sheetId": ident,
        "startRowIndex": start,
        "endRowIndex": end,
        "startColumnIndex": 0,
        "endColumnIndex": width,
    }


def _cell(column: Column, value: Value) -> dict[str, Any]:
    """Write a cell by the type of its value. A text that begins with a sign stays a text."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"userEnteredValue": {"stringValue": value}}
    is_date = isinstance(value, dt.date)
    number = (value - DAY_ZERO).days if isinstance(value, dt.date) else value
    number_format = {"type": "DATE" if is_date else "NUMBER", "pattern": column.format_of(value)}
    return {
        "userEnteredValue": {"numberValue": number},
        "userEnteredFormat": {"numberFormat": number_format},
    }

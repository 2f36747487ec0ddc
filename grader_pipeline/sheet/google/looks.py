"""The looks of a worksheet as requests of the Sheets API: header, filter, frozen cells, formats.

A worksheet is given its looks once, with a note that it has them. What readers then change of
filter, colours, widths and folded columns stays. Formats cover all rows, later ones too.
"""

import zlib
from collections.abc import Iterator
from typing import Any

from gspread.utils import rowcol_to_a1

from grader_pipeline.sheet.google.batch_update import Request, Sheet
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

LOOKS = "grader_pipeline looks"
"""The key of the developer metadata that says: the worksheet has its looks."""

LOOKS_FIELDS = "basicFilter(range),columnGroups(range)"
"""The fields of a worksheet that say what it has already, beside its developer metadata."""


def has_looks(sheet: Sheet) -> bool:
    """Whether the worksheet, as read, has its looks."""
    return any(note.get("metadataKey") == LOOKS for note in sheet.get("developerMetadata", ()))


def look_requests(
    sheet_id: int,
    table: Table,
    lines: int,
    is_new: bool,
    found: Sheet | None = None,
    header: int = 0,
) -> list[Request]:
    """Make the requests, if any, after which the worksheet has its looks.

    ``lines`` counts its lines, header included. ``is_new`` is whether it has no looks yet.
    ``found`` is the worksheet as read, and ``header`` the row of our header, from 0.
    """
    if not is_new or not lines:
        return []
    there = found or {}
    width = len(table.columns)
    requests = [
        *_widths(sheet_id, table),
        _frozen(sheet_id, table, header),
        _format(
            _area(sheet_id, (header, header + 1), (0, width)),
            textFormat={"bold": True},
            wrapStrategy="WRAP",
            verticalAlignment="MIDDLE",
            backgroundColorStyle=_colour(HEADER_COLOUR),
        ),
        _format(_area(sheet_id, (header + 1, None), (0, width)), verticalAlignment="MIDDLE"),
    ]
    for place, column in enumerate(table.columns):
        cells = _area(sheet_id, (header + 1, None), (place, place + 1))
        if column.wraps:
            requests.append(_format(cells, wrapStrategy="WRAP"))
        if column.side:
            requests.append(_format(cells, horizontalAlignment=column.side.upper()))
        if column.by_readers:
            cells = _area(sheet_id, (header, None), (place, place + 1))
            requests += _by_readers(cells)
    first, last = (header + 1 + line for line in table.large)
    if first < last:
        large = {"bold": True, "fontSize": LARGE_SIZE}
        requests.append(_format(_area(sheet_id, (first, last), (0, width)), textFormat=large))
    if "basicFilter" not in there:
        whole = _area(sheet_id, (header, None), (0, width))
        requests.append({"setBasicFilter": {"filter": {"range": whole}}})
    requests += [_marked(sheet_id, mark, header) for mark in table.highlights]
    # A worksheet that was there may have notes of the readers.
    requests += [_hint(sheet_id, mark, header) for mark in table.highlights if found is None]
    if not there.get("columnGroups"):
        requests += _folded(sheet_id, table)
    return [*requests, _note(sheet_id)]


def _widths(sheet_id: int, table: Table) -> Iterator[Request]:
    for place, column in enumerate(table.columns):
        width = {"pixelSize": column.width}
        columns = _columns(sheet_id, (place, place + 1))
        yield {
            "updateDimensionProperties": {
                "range": columns, "properties": width, "fields": "pixelSize",
            }
        }  # fmt: skip


def _frozen(sheet_id: int, table: Table, header: int) -> Request:
    grid = {"frozenRowCount": header + 1, "frozenColumnCount": table.frozen}
    properties = {"sheetId": sheet_id, "gridProperties": grid}
    fields = ",".join(f"gridProperties.{name}" for name in grid)
    return {"updateSheetProperties": {"properties": properties, "fields": fields}}


def _format(cells: dict[str, int], **formats: Any) -> Request:  # noqa: ANN401
    """Give cells these parts of a format, and change no other part."""
    named = [f"userEnteredFormat.{name}" for name in formats if name != "textFormat"]
    named += [f"userEnteredFormat.textFormat.{name}" for name in formats.get("textFormat", ())]
    cell = {"userEnteredFormat": formats}
    return {"repeatCell": {"range": cells, "cell": cell, "fields": ",".join(named)}}


def _marked(sheet_id: int, mark: Highlight, header: int) -> Request:
    """Mark what is unusual in a column.

    The range begins with the header: lines that are put in below it are then inside.
    """
    cells = _area(sheet_id, (header, None), (mark.column, mark.column + 1))
    if mark.kind == "text":
        condition = {"type": "TEXT_CONTAINS", "values": [{"userEnteredValue": str(mark.bound)}]}
        return _rule(cells, condition, UNUSUAL_COLOUR)
    return _rule(cells, _formula(number_formula(mark, _first(cells))), UNUSUAL_COLOUR)


def _hint(sheet_id: int, mark: Highlight, header: int) -> Request:
    cell = _area(sheet_id, (header, header + 1), (mark.column, mark.column + 1))
    return {"repeatCell": {"range": cell, "cell": {"note": mark_hint(mark)}, "fields": "note"}}


def _by_readers(cells: dict[str, int]) -> Iterator[Request]:
    """Tint cells that readers write, keep what they type as text, mark what cannot be used."""
    below = {**cells, "startRowIndex": cells["startRowIndex"] + 1}
    tint = _colour(READERS_COLOUR)
    yield _format(below, backgroundColorStyle=tint, numberFormat={"type": "TEXT"})
    wrong = wrong_name_formula(_first(cells))
    rule = {"condition": _formula(f"NOT({wrong})"), "inputMessage": NAME_HINT}
    yield {"setDataValidation": {"range": cells, "rule": rule}}
    yield _rule(cells, _formula(wrong), WRONG_COLOUR)


def _rule(cells: dict[str, int], condition: dict[str, Any], colour: str) -> Request:
    style = {"backgroundColorStyle": _colour(colour)}
    rule = {"ranges": [cells], "booleanRule": {"condition": condition, "format": style}}
    return {"addConditionalFormatRule": {"rule": rule, "index": 0}}


def _formula(formula: str) -> dict[str, Any]:
    return {"type": "CUSTOM_FORMULA", "values": [{"userEnteredValue": f"={formula}"}]}


def _folded(sheet_id: int, table: Table) -> Iterator[Request]:
    for group in folded_columns(table):
        columns = _columns(sheet_id, group)
        yield {"addDimensionGroup": {"range": columns}}
        folded = {"range": columns, "depth": 1, "collapsed": True}
        yield {"updateDimensionGroup": {"dimensionGroup": folded, "fields": "collapsed"}}


def _note(sheet_id: int) -> Request:
    # Google refuses a second note with the same id, so the looks are never given twice.
    note = {
        "metadataId": zlib.crc32(f"{LOOKS} {sheet_id}".encode()) & 0x7FFFFFFF or 1,
        "metadataKey": LOOKS,
        "metadataValue": "1",
        "location": {"sheetId": sheet_id},
        "visibility": "DOCUMENT",
    }
    return {"createDeveloperMetadata": {"developerMetadata": note}}


def _columns(sheet_id: int, columns: tuple[int, int]) -> dict[str, Any]:
    first, last = columns
    return {"sheetId": sheet_id, "dimension": "COLUMNS", "startIndex": first, "endIndex": last}


def _area(sheet_id: int, rows: tuple[int, int | None], columns: tuple[int, int]) -> dict[str, int]:
    """The cells of these rows and columns, half-open. No last row: all rows from the first on."""
    top, bottom = rows
    left, right = columns
    area = {"sheetId": sheet_id, "startRowIndex": top}
    area |= {"startColumnIndex": left, "endColumnIndex": right}
    return area if bottom is None else {**area, "endRowIndex": bottom}


def _first(cells: dict[str, int]) -> str:
    return str(rowcol_to_a1(cells["startRowIndex"] + 1, cells["startColumnIndex"] + 1))


def _colour(text: str) -> dict[str, Any]:
    red, green, blue = (round(int(text[at : at + 2], 16) / 255, 4) for at in (0, 2, 4))
    return {"rgbColor": {"red": red, "green": green, "blue": blue}}

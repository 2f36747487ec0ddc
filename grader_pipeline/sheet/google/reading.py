"""What is read of a Google spreadsheet before a write, in as few bytes as decide it.

First the worksheets, without cells. Then values. Of a table of all days: the first column, which
has the days, and the figures, but not the labels, which are most of the bytes; then whole lines of
those days only that differ. Of other tables: our columns. Last, of rows that change or leave, all
cells, notes and colours.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import gspread
from gspread.http_client import ParamsType
from gspread.utils import absolute_range_name, rowcol_to_a1

from grader_pipeline.sheet.cells import Cell, Found, Odd, date_of
from grader_pipeline.sheet.google.batch_update import (
    SPARE_LINES,
    Sheet,
    sheet_id,
)
from grader_pipeline.sheet.google.beside import fill_of, looked_at
from grader_pipeline.sheet.google.looks import LOOKS_FIELDS
from grader_pipeline.sheet.google.tabs import find_worksheet
from grader_pipeline.sheet.header import has_whole_header, may_be_header
from grader_pipeline.sheet.matching import days_to_read, figures
from grader_pipeline.sheet.table import Table
from grader_pipeline.sheet.update import Looked

WRITE = "grader_pipeline write"
"""The key of the developer metadata that each write replaces."""

_FIELDS = (
    "developerMetadata(metadataId,metadataKey),"
    "sheets(properties(sheetId,title,index,gridProperties(rowCount,columnCount,frozenRowCount)),"
    "protectedRanges(range,warningOnly,requestingUserCanEdit,unprotectedRanges),"
    "developerMetadata(metadataKey,metadataValue),charts(chartId,spec,position),"
    f"{LOOKS_FIELDS})"
)
_CELLS = (
    "sheets(properties(sheetId),data(startRow,rowData(values(userEnteredValue,note,"
    "userEnteredFormat(backgroundColor,textFormat(foregroundColor))))))"
)
_VALUES: ParamsType = {
    "valueRenderOption": "UNFORMATTED_VALUE",
    "dateTimeRenderOption": "SERIAL_NUMBER",
    "majorDimension": "COLUMNS",
    "prettyPrint": "false",
    "fields": "valueRanges(values)",
}
_MOST_RANGES = 20


@dataclass(eq=False)
class Worksheet:
    """A worksheet that a table goes to, as it was read. ``sheet`` None: it has to be made."""

    title: str
    """Its title in the settings or of the report. Readers may have renamed it."""
    table: Table
    sheet: Sheet | None
    found: list[Found] = field(default_factory=list)
    days: frozenset[dt.date] | None = None
    """The days whose lines ``found`` has whole; None: all."""

    @property
    def columns(self) -> int:
        """How many columns the grid has."""
        grid = self.sheet["properties"]["gridProperties"] if self.sheet else {}
        return int(grid.get("columnCount", 0))

    @property
    def rows(self) -> int:
        """How many rows the grid has, or will have when it is made."""
        grid = self.sheet["properties"]["gridProperties"] if self.sheet else {}
        return int(grid.get("rowCount", SPARE_LINES))

    def range(self, rows: tuple[int, int] | None, columns: tuple[int, int] | None) -> str:
        """These rows and columns, half-open, in A1 notation. None: all."""
        title = self.sheet["properties"]["title"] if self.sheet else self.title
        first, last = ("", "") if rows is None else (str(rows[0] + 1), str(rows[1]))
        if columns is None:
            return absolute_range_name(title, f"{first}:{last}")
        left, right = (
            rowcol_to_a1(1, min(column, self.columns)).removesuffix("1")
            for column in (columns[0] + 1, columns[1])
        )
        return absolute_range_name(title, f"{left}{first}:{right}{last}")

    def columns_at_first(self, *, is_partly: bool) -> list[tuple[int, int]]:
        """The columns to read of all lines. ``is_partly``: without most labels."""
        width = len(self.table.columns)
        start = min(figures(self.table), default=width) if is_partly else 1
        if start <= 1:
            return [(0, width)]
        return [(0, 1), *([(start, width)] if start < width else [])]


@dataclass(frozen=True)
class Book:
    """A spreadsheet as it was read."""

    sheets: Sequence[Sheet]
    writes: Sequence[int]
    """The ids of the metadata WRITE."""
    worksheets: Sequence[Worksheet]


@dataclass(frozen=True)
class Reader:
    """Reads one spreadsheet."""

    client: gspread.Client
    id: str

    def read(self, tables: Sequence[tuple[str, Table]], days: Collection[dt.date] | None) -> Book:
        """Read what decides about the tables, each on the worksheet named beside it."""
        book = self._worksheets(tables)
        there = [worksheet for worksheet in book.worksheets if worksheet.sheet]
        partly = [w for w in there if days is not None and w.table.by_date and w.table.keeps_days]
        parts = [(w, part) for w in there for part in w.columns_at_first(is_partly=w in partly)]
        values = self._values([worksheet.range(None, part) for worksheet, part in parts])
        columns: dict[str, list[list[Any]]] = defaultdict(list)
        for (worksheet, (left, _)), found in zip(parts, values, strict=True):
            of_sheet = columns[worksheet.title]
            of_sheet += [[] for _ in range(left - len(of_sheet))] + found
        for worksheet in there:
            worksheet.found = _lines(columns[worksheet.title])
            worksheet.days = days_to_read(worksheet.table, worksheet.found, days)
        self._read_lines(partly)
        narrow = [w for w in partly if w.found and not has_whole_header(w.table.columns, w.found)]
        for worksheet in narrow:
            worksheet.days = None
        self._read_lines(narrow)
        return book

    def look(
        self, wanted: Sequence[tuple[Worksheet, Collection[int]]]
    ) -> dict[str, dict[int, Looked]]:
        """Look what some rows have beside our values, by the worksheet's title."""
        ranges: list[str] = []
        for worksheet, rows in wanted:
            # The last row of the grid has the fills of whole columns, which mark no line.
            spans = [*_spans(rows), (worksheet.rows - 1, worksheet.rows)] if rows else []
            ranges += [worksheet.range(span, None) for span in spans]
        sheets = self._get(_CELLS, ranges).get("sheets", ()) if ranges else ()
        cells: dict[int, dict[int, list[dict[str, Any]]]] = defaultdict(dict)
        for sheet in sheets:
            for block in sheet.get("data", ()):
                for row, line in enumerate(block.get("rowData", ()), block.get("startRow", 0)):
                    cells[sheet_id(sheet)][row] = line.get("values", [])
        looked = {}
        for worksheet, rows in wanted:
            of_rows = cells[sheet_id(worksheet.sheet)] if worksheet.sheet else {}
            usual = [fill_of(cell) for cell in of_rows.get(worksheet.rows - 1, ())]
            looked[worksheet.title] = {
                row: looked_at(worksheet.table, of_rows.get(row, ()), usual) for row in rows
            }
        return looked

    def _worksheets(self, tables: Sequence[tuple[str, Table]]) -> Book:
        document = self._get(_FIELDS, [])
        sheets = list(document.get("sheets", []))
        notes = document.get("developerMetadata", ())
        writes = [note["metadataId"] for note in notes if note["metadataKey"] == WRITE]
        found = [Worksheet(title, table, find_worksheet(sheets, title)) for title, table in tables]
        return Book(sheets, writes, found)

    def _get(self, fields: str, ranges: list[str]) -> Any:  # noqa: ANN401 - JSON
        params: ParamsType = {"fields": fields, "ranges": ranges, "prettyPrint": "false"}
        return self.client.http_client.spreadsheets_get(self.id, params)

    def _values(self, ranges: Sequence[str]) -> Iterator[list[list[Any]]]:
        """The columns of each range."""
        if not ranges:
            return
        http = self.client.http_client
        document = http.values_batch_get(self.id, list(ranges), dict(_VALUES))
        for part in document.get("valueRanges", [{}] * len(ranges)):
            yield part.get("values", [])

    def _read_lines(self, worksheets: Sequence[Worksheet]) -> None:
        """Read the lines in question whole, and those that may be the header."""
        spans = [
            (worksheet, span)
            for worksheet in worksheets
            for span in _spans(_rows_to_read(worksheet), at_most=_MOST_RANGES)
        ]
        ranges = [w.range(span, (0, len(w.table.columns))) for w, span in spans]
        for (worksheet, (start, _)), columns in zip(spans, self._values(ranges), strict=True):
            for row, line in enumerate(_lines(columns), start=start):
                worksheet.found += [()] * (row + 1 - len(worksheet.found))
                worksheet.found[row] = line


def _lines(columns: Sequence[Sequence[Any]]) -> list[Found]:
    return [tuple(map(_cell, line)) for line in zip_longest(*columns)]


def _cell(value: object) -> Cell:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return Odd.CELL
    return value


def _rows_to_read(worksheet: Worksheet) -> list[int]:
    columns, days = worksheet.table.columns, worksheet.days
    if days is None:
        return list(range(worksheet.rows))
    return [
        row
        for row, line in enumerate(worksheet.found)
        if line and (may_be_header(columns, line[0]) or date_of(line[0]) in days)
    ] or [0]


def _spans(rows: Iterable[int], *, at_most: int = 200) -> list[tuple[int, int]]:
    """Half-open ranges that have these rows, and perhaps others between them."""
    rows = sorted(rows)
    for gap in (1, 30, 10**9):
        spans: list[tuple[int, int]] = []
        for row in rows:
            if spans and row - spans[-1][1] < gap:
                spans[-1] = (spans[-1][0], row + 1)
            else:
                spans.append((row, row + 1))
        if len(spans) <= at_most:
            break
    return spans

"""A Google spreadsheet in memory: what ``get`` shows of it and what ``batchUpdate`` does to it.

It follows the reference of the Sheets API for the requests that a report may need, refuses all
others, and applies a batch wholly or not at all.
"""

import copy
import re
from collections.abc import Callable
from typing import Any

from grader_pipeline_tests.sheet.sheets_requests import Cell, Refusal, Requests

_PARTS = ("charts", "protectedRanges", "developerMetadata", "columnGroups", "basicFilter")

_REPLACED = {"cells", "widths", "heights", "formats", "developerMetadata"}

Span = tuple[int, int, int, int]
"""Rows and columns of a range, half-open: top, bottom, left, right."""


class Spreadsheet(Requests):
    def __init__(self, title: str) -> None:
        self.title = title
        self.is_trashed = False
        self.sheets: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        """The developer metadata of the spreadsheet itself."""
        self.history: list[list[dict[str, Any]]] = []
        """The sheets as every reader could see them, one state after the other."""

    def add_sheet(self, title: str, sheet_id: int, *, rows: int = 1000, columns: int = 26) -> None:
        grid = {"rowCount": rows, "columnCount": columns}
        properties = {"sheetId": sheet_id, "title": title, "sheetType": "GRID"}
        self.sheets.append(
            {
                "properties": properties | {"index": len(self.sheets), "gridProperties": grid},
                "cells": {},
                "widths": {},
                "heights": {},
                "developerMetadata": [],
                "formats": [],
                "conditionalFormats": [],
                "columnGroups": [],
                "basicFilter": {},
                "charts": [],
                "protectedRanges": [],
            }
        )

    def sheet(self, title: str) -> dict[str, Any]:
        return next(s for s in self.sheets if s["properties"]["title"] == title)

    def put(self, title: str, row: int, column: int, cell: Cell) -> None:
        self.sheet(title)["cells"][row, column] = cell

    def insert(self, title: str, row: int, count: int) -> None:
        """What a reader does: insert rows above this one."""
        area = {"dimension": "ROWS", "startIndex": row, "endIndex": row + count}
        ident = self.sheet(title)["properties"]["sheetId"]
        self._insert_dimension({"range": area | {"sheetId": ident}})

    def sort(self, title: str, key: Callable[[list[Any]], Any], start: int) -> None:
        """What a reader does: sort whole rows, from this one to the last that has a day."""
        sheet = self.sheet(title)
        lines = self.values(title)
        rows = [row for row in range(start, len(lines)) if isinstance(lines[row][0], int)]
        order = sorted(rows, key=lambda row: key(lines[row]))
        places = {row: place for place, row in zip(rows, order, strict=True)}
        for name in ("cells", "heights"):
            sheet[name] = {
                (places.get(at[0], at[0]), at[1]) if name == "cells" else places.get(at, at): part
                for at, part in sheet[name].items()
            }

    def values(self, title: str, width: int = 3) -> list[list[Any]]:
        """The leftmost columns as bare values, to the last line that has one."""
        return values(self.sheets, title, width)

    def get(self, ranges: list[str], *, grid_data: bool) -> dict[str, Any]:
        shown = []
        wanted = [self._parse_range(text) for text in ranges]
        for sheet in self.sheets:
            spans = [span for of, span in wanted if of is sheet]
            if ranges and not spans:
                continue
            answer = {"properties": sheet["properties"]}
            parts = (
                "charts",
                "protectedRanges",
                "developerMetadata",
                "columnGroups",
                "basicFilter",
            )
            answer |= {name: copy.deepcopy(sheet[name]) for name in parts if sheet[name]}
            if grid_data:
                answer["data"] = [self._data(sheet, span) for span in spans or [_all(sheet)]]
            shown.append(answer)
        document = {"properties": {"title": self.title}, "sheets": shown}
        return document | ({"developerMetadata": self.notes} if self.notes else {})

    def values_of(self, ranges: list[str]) -> dict[str, Any]:
        """values.batchGet, columns first, unformatted, times and days as numbers."""
        found = []
        for text in ranges:
            sheet, (top, bottom, left, right) = self._parse_range(text)
            cells = sheet["cells"]
            last = max((row for row, c in cells if left <= c < right), default=-1)
            columns = []
            for column in range(left, right):
                lines = range(top, min(bottom, last + 1))
                values = [_shown(cells.get((row, column), {})) for row in lines]
                while values and values[-1] == "":
                    values.pop()
                columns.append(values)
            while columns and not columns[-1]:
                columns.pop()
            found.append({"range": text, "majorDimension": "COLUMNS"})
            found[-1] |= {"values": columns} if columns else {}
        return {"spreadsheetId": self.title, "valueRanges": found}

    def batch_update(self, requests: list[dict[str, Any]]) -> None:
        before, notes = self._snapshot(), list(self.notes)
        try:
            self._apply(requests)
        except BaseException:
            self.sheets, self.notes = before, notes
            raise
        self.remember()

    def remember(self) -> None:
        self.history.append(self._snapshot())

    def _snapshot(self) -> list[dict[str, Any]]:
        # Cells and rules are replaced, never changed: their own copies are not needed.
        return [
            {
                name: copy.copy(part) if name in _REPLACED else copy.deepcopy(part)
                for name, part in sheet.items()
            }
            for sheet in self.sheets
        ]

    def _apply(self, requests: list[dict[str, Any]]) -> None:
        if not requests:
            raise Refusal("Must specify at least one request.")
        for index, request in enumerate(requests):
            ((kind, body),) = request.items()
            name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", kind)
            apply = getattr(self, f"_{name}", None)
            if apply is None:
                raise Refusal(f"this server knows no request {kind}")
            try:
                apply(body)
            except Refusal as refusal:
                raise Refusal(f"Invalid requests[{index}].{kind}: {refusal}") from None

    def _parse_range(self, text: str) -> tuple[dict[str, Any], Span]:
        found = re.fullmatch(r"'((?:[^']|'')+)'!([A-Z]?)(\d*):([A-Z]?)(\d*)", text)
        titles = [sheet["properties"]["title"] for sheet in self.sheets]
        if not found or found[1].replace("''", "'") not in titles:
            raise Refusal(f"Unable to parse range: {text}")
        sheet = self.sheet(found[1].replace("''", "'"))
        grid = sheet["properties"]["gridProperties"]
        top, bottom, left, right = _all(sheet)
        if found[2]:
            left, right = ord(found[2]) - ord("A"), ord(found[4]) - ord("A") + 1
        if found[3]:
            top, bottom = int(found[3]) - 1, int(found[5])
        if right > grid["columnCount"] or top >= grid["rowCount"]:
            raise Refusal(f"Range ({text}) exceeds grid limits. Grid: {grid}")
        return sheet, (top, min(bottom, grid["rowCount"]), left, right)

    def _data(self, sheet: dict[str, Any], span: Span) -> dict[str, Any]:
        top, bottom, left, right = span
        inside = [row for row, c in sheet["cells"] if top <= row < bottom and left <= c < right]
        rows = []
        for row in range(top, max(inside, default=-1) + 1):
            cells = [sheet["cells"].get((row, column), {}) for column in range(left, right)]
            while cells and not cells[-1]:
                cells.pop()
            rows.append({"values": cells} if cells else {})
        return {"startRow": top} | ({"rowData": rows} if rows else {})


def _all(sheet: dict[str, Any]) -> Span:
    grid = sheet["properties"]["gridProperties"]
    return 0, grid["rowCount"], 0, grid["columnCount"]


def _shown(cell: Cell) -> Any:
    """A cell's value as values.batchGet has it. A formula is shown as if it gave 1."""
    entered = cell.get("userEnteredValue", {})
    return 1 if "formulaValue" in entered else next(iter(entered.values()), "")


def values(sheets: list[dict[str, Any]], title: str, width: int = 3) -> list[list[Any]]:
    cells = next(s for s in sheets if s["properties"]["title"] == title)["cells"]
    last = max((r for (r, c), cell in cells.items() if "userEnteredValue" in cell and c < width),
               default=-1)  # fmt: skip
    return [
        [
            next(iter(cells.get((row, column), {}).get("userEnteredValue", {}).values()), None)
            for column in range(width)
        ]
        for row in range(last + 1)
    ]

"""A Google spreadsheet in memory: what ``get`` shows of it and what ``batchUpdate`` does to it.

It follows the reference of the Sheets API for the requests that a report may need, refuses all
others, and applies a batch wholly or not at all.
"""

import copy
import re
from typing import Any

from grader_pipeline_tests.sheet.sheets_discovery import check_mask, parse_mask

Cell = dict[str, Any]


PROTECTED = "You are trying to edit a protected cell or object. Please contact the owner."


class Refusal(Exception):  # noqa: N818
    """A 400 of the API."""


class Spreadsheet:
    def __init__(self, title: str) -> None:
        self.title = title
        self.sheets: list[dict[str, Any]] = []
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
                "charts": [],
                "protectedRanges": [],
            }
        )

    def sheet(self, title: str) -> dict[str, Any]:
        return next(s for s in self.sheets if s["properties"]["title"] == title)

    def put(self, title: str, row: int, column: int, cell: Cell) -> None:
        self.sheet(title)["cells"][row, column] = cell

    def values(self, title: str, width: int = 3) -> list[list[Any]]:
        """The leftmost columns as bare values, to the last line that has one."""
        return values(self.sheets, title, width)

    def get(self, ranges: list[str], *, grid_data: bool) -> dict[str, Any]:
        shown = []
        wanted = [self._parse_range(text) for text in ranges]
        for sheet in self.sheets:
            title = sheet["properties"]["title"]
            widths = [last for name, last in wanted if name == title]
            if ranges and not widths:
                continue
            answer = {"properties": copy.deepcopy(sheet["properties"])}
            answer |= {
                n: copy.deepcopy(sheet[n]) for n in ("charts", "protectedRanges") if sheet[n]
            }
            if grid_data:
                width = (
                    widths[0] if widths else sheet["properties"]["gridProperties"]["columnCount"]
                )
                answer["data"] = [self._data(sheet, width)]
            shown.append(answer)
        return {"properties": {"title": self.title}, "sheets": shown}

    def batch_update(self, requests: list[dict[str, Any]]) -> None:
        before = self._snapshot()
        try:
            self._apply(requests)
        except BaseException:
            self.sheets = before
            raise
        self.remember()

    def remember(self) -> None:
        self.history.append(self._snapshot())

    def _snapshot(self) -> list[dict[str, Any]]:
        # Cells are replaced, never changed: their own copies are not needed.
        return [
            {name: dict(part) if name == "cells" else copy.deepcopy(part)
             for name, part in sheet.items()}
            for sheet in self.sheets
        ]  # fmt: skip

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

    def _parse_range(self, text: str) -> tuple[str, int]:
        found = re.fullmatch(r"'((?:[^']|'')+)'!A:([A-Z])", text)
        titles = [sheet["properties"]["title"] for sheet in self.sheets]
        if not found or found[1].replace("''", "'") not in titles:
            raise Refusal(f"Unable to parse range: {text}")
        title, last = found[1].replace("''", "'"), ord(found[2]) - ord("A") + 1
        columns = self.sheet(title)["properties"]["gridProperties"]["columnCount"]
        if last > columns:
            raise Refusal(f"Range ({text}) exceeds grid limits. Max columns: {columns}")
        return title, last

    def _data(self, sheet: dict[str, Any], width: int) -> dict[str, Any]:
        inside = [row for row, column in sheet["cells"] if column < width]
        rows = []
        for row in range(max(inside, default=-1) + 1):
            cells = [sheet["cells"].get((row, column), {}) for column in range(width)]
            while cells and not cells[-1]:
                cells.pop()
            rows.append({"values": copy.deepcopy(cells)} if cells else {})
        return {"rowData": rows} if rows else {}

    def _by_id(self, sheet_id: int | None) -> dict[str, Any]:
        for sheet in self.sheets:
            if sheet["properties"]["sheetId"] == (sheet_id or 0):
                return sheet
        raise Refusal(f"No grid with id: {sheet_id}")

    def _add_sheet(self, body: dict[str, Any]) -> None:
        properties = copy.deepcopy(body["properties"])
        for sheet in self.sheets:
            if sheet["properties"]["title"] == properties["title"]:
                raise Refusal(
                    f'A sheet with the name "{properties["title"]}" already exists. Please enter '
                    "another name."
                )
            if sheet["properties"]["sheetId"] == properties["sheetId"]:
                raise Refusal(f"Sheet with id {properties['sheetId']} already exists.")
        self.add_sheet(properties["title"], properties["sheetId"])
        self.sheets[-1]["properties"]["gridProperties"] |= properties["gridProperties"]

    def _update_sheet_properties(self, body: dict[str, Any]) -> None:
        sheet = self._by_id(body["properties"].get("sheetId"))
        mask = parse_mask(body["fields"])
        check_mask("SheetProperties", mask)
        assert set(mask) == {"gridProperties"}
        given = body["properties"]["gridProperties"]
        if self._is_protected(sheet, 0, 1, 0, 1):
            raise Refusal(PROTECTED)
        for name in mask["gridProperties"]:
            sheet["properties"]["gridProperties"][name] = given[name]

    def _update_dimension_properties(self, body: dict[str, Any]) -> None:
        check_mask("DimensionProperties", parse_mask(body["fields"]))
        area = body["range"]
        assert area["dimension"] == "COLUMNS"
        sheet = self._by_id(area["sheetId"])
        for index in range(area["startIndex"], area["endIndex"]):
            sheet["widths"][index] = body["properties"]["pixelSize"]

    def _repeat_cell(self, body: dict[str, Any]) -> None:
        area = body["range"]
        lines = [[body["cell"]] * (area["endColumnIndex"] - area["startColumnIndex"])] * (
            area["endRowIndex"] - area["startRowIndex"]
        )
        self._put_cells(area, lines, body["fields"])

    def _update_cells(self, body: dict[str, Any]) -> None:
        lines = [row.get("values", []) for row in body["rows"]]
        self._put_cells(body["range"], lines, body["fields"])

    def _put_cells(self, area: dict[str, int], lines: list[list[Cell]], fields: str) -> None:
        mask = parse_mask(fields)
        check_mask("CellData", mask)
        sheet = self._by_id(area["sheetId"])
        grid = sheet["properties"]["gridProperties"]
        top, bottom = area["startRowIndex"], area["endRowIndex"]
        left, right = area["startColumnIndex"], area["endColumnIndex"]
        if bottom > grid["rowCount"] or right > grid["columnCount"] or top >= bottom:
            raise Refusal("Attempting to write outside of the grid")
        if len(lines) > bottom - top or any(len(line) > right - left for line in lines):
            raise Refusal("Attempting to write outside of the range")
        if self._is_protected(sheet, top, bottom, left, right):
            raise Refusal(PROTECTED)
        for row in range(top, bottom):
            for column in range(left, right):
                line = lines[row - top] if row - top < len(lines) else []
                new = line[column - left] if column - left < len(line) else {}
                cell = _merged(sheet["cells"].get((row, column), {}), new, mask)
                sheet["cells"].pop((row, column), None)
                if cell:
                    sheet["cells"][row, column] = cell

    def _is_protected(self, sheet: dict[str, Any], *area: int) -> bool:
        top, bottom, left, right = area
        return any(
            not part.get("warningOnly")
            and not part.get("requestingUserCanEdit")
            and part["range"].get("startRowIndex", 0) < bottom
            and part["range"].get("endRowIndex", bottom) > top
            and part["range"].get("startColumnIndex", 0) < right
            and part["range"].get("endColumnIndex", right) > left
            for part in sheet["protectedRanges"]
        )

    def _add_chart(self, body: dict[str, Any]) -> None:
        chart = copy.deepcopy(body["chart"])
        taken = [c["chartId"] for sheet in self.sheets for c in sheet["charts"]]
        if chart["chartId"] in taken:
            raise Refusal(f"Embedded object with id {chart['chartId']} already exists.")
        anchor = chart["position"]["overlayPosition"]["anchorCell"]
        sheet = self._by_id(anchor["sheetId"])
        if anchor["columnIndex"] >= sheet["properties"]["gridProperties"]["columnCount"]:
            raise Refusal("The anchor cell is outside of the grid")
        sheet["charts"].append(chart)

    def _update_chart_spec(self, body: dict[str, Any]) -> None:
        for sheet in self.sheets:
            for chart in sheet["charts"]:
                if chart["chartId"] == body["chartId"]:
                    chart["spec"] = copy.deepcopy(body["spec"])
                    return
        raise Refusal(f"No chart with id: {body['chartId']}")


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


def _merged(old: Cell, new: Cell, mask: dict[str, Any]) -> Cell:
    """The old cell with the masked fields replaced by the new cell's, absent ones cleared."""
    result = dict(old)
    for name, inner in mask.items():
        part = _merged(old.get(name, {}), new.get(name, {}), inner) if inner else new.get(name)
        result.pop(name, None)
        if part:
            result[name] = copy.deepcopy(part)
    return result

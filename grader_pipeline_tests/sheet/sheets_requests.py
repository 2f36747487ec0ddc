"""What ``batchUpdate`` does to a spreadsheet: a method for each of its requests."""

import copy
from typing import Any

from grader_pipeline_tests.sheet.sheets_discovery import check_mask, parse_mask

Cell = dict[str, Any]

PROTECTED = "You are trying to edit a protected cell or object. Please contact the owner."


class Refusal(Exception):  # noqa: N818
    """A 400 of the API."""


class Requests:
    sheets: list[dict[str, Any]]
    notes: list[dict[str, Any]]

    def add_sheet(self, title: str, sheet_id: int, *, rows: int = 1000, columns: int = 26) -> None:
        raise NotImplementedError

    def _by_id(self, sheet_id: int | None) -> dict[str, Any]:
        for sheet in self.sheets:
            if sheet["properties"]["sheetId"] == (sheet_id or 0):
                return sheet
        raise Refusal(f"No grid with id: {sheet_id}")

    def _add_sheet(self, body: dict[str, Any]) -> None:
        properties = copy.deepcopy(body["properties"])
        for sheet in self.sheets:
            if sheet["properties"]["title"].casefold() == properties["title"].casefold():
                raise Refusal(
                    f'A sheet with the name "{properties["title"]}" already exists. Please enter '
                    "another name."
                )
            if sheet["properties"]["sheetId"] == properties["sheetId"]:
                raise Refusal(f"Sheet with id {properties['sheetId']} already exists.")
        self.add_sheet(properties["title"], properties["sheetId"])
        made = self.sheets.pop()
        made["properties"]["gridProperties"] |= properties["gridProperties"]
        self.sheets.insert(properties.get("index", len(self.sheets)), made)
        for index, sheet in enumerate(self.sheets):
            sheet["properties"]["index"] = index

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
        if "endRowIndex" not in area:
            # A format of all rows, later ones too.
            check_mask("CellData", parse_mask(body["fields"]))
            self._by_id(area["sheetId"])["formats"].append(copy.deepcopy(body))
            return
        columns = range(area["startColumnIndex"], area["endColumnIndex"])
        rows = range(area["startRowIndex"], area["endRowIndex"])
        lines = [[copy.deepcopy(body["cell"]) for _ in columns] for _ in rows]
        self._put_cells(area, lines, body["fields"])

    def _update_cells(self, body: dict[str, Any]) -> None:
        lines = [row.get("values", []) for row in body.get("rows", [])]
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

    def _set_basic_filter(self, body: dict[str, Any]) -> None:
        area = body["filter"]["range"]
        self._by_id(area["sheetId"])["basicFilter"] = {"range": dict(area)}

    def _add_conditional_format_rule(self, body: dict[str, Any]) -> None:
        rule = copy.deepcopy(body["rule"])
        self._by_id(rule["ranges"][0]["sheetId"])["conditionalFormats"].insert(body["index"], rule)

    def _set_data_validation(self, body: dict[str, Any]) -> None:
        self._by_id(body["range"]["sheetId"])["formats"].append(copy.deepcopy(body))

    def _add_dimension_group(self, body: dict[str, Any]) -> None:
        groups = self._by_id(body["range"]["sheetId"])["columnGroups"]
        if body["range"] in [group["range"] for group in groups]:
            raise Refusal("There is such a group")
        groups.append({"range": dict(body["range"]), "depth": 1})

    def _update_dimension_group(self, body: dict[str, Any]) -> None:
        given = body["dimensionGroup"]
        groups = self._by_id(given["range"]["sheetId"])["columnGroups"]
        if given["range"] not in [group["range"] for group in groups]:
            raise Refusal("No such group")

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

    def _update_embedded_object_position(self, body: dict[str, Any]) -> None:
        check_mask("OverlayPosition", parse_mask(body["fields"]))
        for sheet in self.sheets:
            for chart in sheet["charts"]:
                if chart["chartId"] == body["objectId"]:
                    chart["position"]["overlayPosition"] |= copy.deepcopy(
                        body["newPosition"]["overlayPosition"]
                    )
                    return
        raise Refusal(f"No chart with id: {body['objectId']}")

    def _insert_dimension(self, body: dict[str, Any]) -> None:
        sheet, start, end = self._rows_of(body["range"])
        grid, count = sheet["properties"]["gridProperties"], end - start
        before = body.get("inheritFromBefore", False)
        if start > grid["rowCount"] or (start == grid["rowCount"] and not before):
            raise Refusal(
                f"range.startIndex must be less than the grid size ({grid['rowCount']}) if "
                "inheritFromBefore is false."
            )
        if start == 0 and before:
            raise Refusal("inheritFromBefore cannot be true if startIndex is 0.")
        if self._is_protected(sheet, start, start + 1, 0, grid["columnCount"]):
            raise Refusal(PROTECTED)
        self._move_rows(sheet, lambda row: row + count if row >= start else row)
        grid["rowCount"] += count
        model = start - 1 if before else end
        for (row, column), cell in list(sheet["cells"].items()):
            if row == model and "userEnteredFormat" in cell:
                for new in range(start, end):
                    sheet["cells"][new, column] = {"userEnteredFormat": cell["userEnteredFormat"]}
        if model in sheet["heights"]:
            sheet["heights"] |= dict.fromkeys(range(start, end), sheet["heights"][model])

    def _delete_dimension(self, body: dict[str, Any]) -> None:
        sheet, start, end = self._rows_of(body["range"])
        grid = sheet["properties"]["gridProperties"]
        if end > grid["rowCount"]:
            raise Refusal("Cannot delete rows that do not exist")
        if end - start >= grid["rowCount"] - grid.get("frozenRowCount", 0):
            raise Refusal("Sorry, it is not possible to delete all non-frozen rows.")
        if self._is_protected(sheet, start, end, 0, grid["columnCount"]):
            raise Refusal(PROTECTED)
        gone, count = range(start, end), end - start
        self._move_rows(
            sheet, lambda row: None if row in gone else row - count if row >= end else row
        )
        grid["rowCount"] -= count

    def _rows_of(self, area: dict[str, Any]) -> tuple[dict[str, Any], int, int]:
        assert area["dimension"] == "ROWS"
        if area["startIndex"] >= area["endIndex"]:
            raise Refusal("The range is empty")
        return self._by_id(area["sheetId"]), area["startIndex"], area["endIndex"]

    def _move_rows(self, sheet: dict[str, Any], moved: Any) -> None:
        """Give each row its new number; ``moved`` gives None for one that goes."""
        for name in ("cells", "heights"):
            old = sheet[name]
            sheet[name] = {}
            for key, part in old.items():
                new = moved(key[0] if name == "cells" else key)
                if new is not None:
                    sheet[name][(new, key[1]) if name == "cells" else new] = part
        # Sources of charts, and ranges under protection, grow and shrink with their rows.
        ranges = [part["range"] for part in sheet["protectedRanges"]]
        for chart in sheet["charts"]:
            basic = chart["spec"].get("basicChart", {})
            for part in [*basic.get("domains", ()), *basic.get("series", ())]:
                source = part.get("domain") or part.get("series")
                ranges += source["sourceRange"]["sources"]
            anchor = chart["position"]["overlayPosition"]["anchorCell"]
            anchor["rowIndex"] = moved(anchor.get("rowIndex", 0)) or anchor.get("rowIndex", 0)
        for area in ranges:
            kept = [
                new
                for row in range(area.get("startRowIndex", 0), area.get("endRowIndex", 0))
                if (new := moved(row)) is not None
            ]
            if kept:
                area |= {"startRowIndex": kept[0], "endRowIndex": kept[-1] + 1}

    def _create_developer_metadata(self, body: dict[str, Any]) -> None:
        note = copy.deepcopy(body["developerMetadata"])
        assert {"metadataKey", "visibility", "location"} <= set(note)
        known = [*self.notes, *(note for s in self.sheets for note in s["developerMetadata"])]
        taken = {note["metadataId"] for note in known}
        if note.setdefault("metadataId", min(set(range(1, len(taken) + 2)) - taken)) in taken:
            raise Refusal(f"DeveloperMetadata with id {note['metadataId']} already exists.")
        where = note["location"]
        (
            self.notes
            if where.get("spreadsheet")
            else self._by_id(where["sheetId"])["developerMetadata"]
        ).append(note)

    def _delete_developer_metadata(self, body: dict[str, Any]) -> None:
        ident = body["dataFilter"]["developerMetadataLookup"]["metadataId"]
        self.notes[:] = [note for note in self.notes if note["metadataId"] != ident]


def _merged(old: Cell, new: Cell, mask: dict[str, Any]) -> Cell:
    """The old cell with the masked fields replaced by the new cell's, absent ones cleared."""
    result = dict(old)
    for name, inner in mask.items():
        part = _merged(old.get(name, {}), new.get(name, {}), inner) if inner else new.get(name)
        result.pop(name, None)
        if part:
            result[name] = part
    return result

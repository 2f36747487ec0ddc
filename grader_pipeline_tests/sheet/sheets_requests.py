"""What ``batchUpdate`` does to a spreadsheet: a method for each of its requests."""

import copy
from typing import Any

from grader_pipeline_tests.sheet.sheets_discovery import check_mask, parse_mask
from grader_pipeline_tests.sheet.sheets_moves import PROTECTED, Cell, Moves, Refusal

__all__ = ["Cell", "Refusal", "Requests"]


class Requests(Moves):
    notes: list[dict[str, Any]]

    def add_sheet(self, title: str, sheet_id: int, *, rows: int = 1000, columns: int = 26) -> None:
        raise NotImplementedError

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

    def _set_basic_filter(self, body: dict[str, Any]) -> None:
        area = self._bounded(body["filter"]["range"])
        self._by_id(area["sheetId"])["basicFilter"] = {"range": area}

    def _add_conditional_format_rule(self, body: dict[str, Any]) -> None:
        rule = copy.deepcopy(body["rule"])
        rule["ranges"] = [self._bounded(area) for area in rule["ranges"]]
        self._by_id(rule["ranges"][0]["sheetId"])["conditionalFormats"].insert(body["index"], rule)

    def _bounded(self, area: dict[str, int]) -> dict[str, int]:
        """A range without a last row ends with the grid of now."""
        grid = self._by_id(area["sheetId"])["properties"]["gridProperties"]
        return {"endRowIndex": grid["rowCount"], **area}

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

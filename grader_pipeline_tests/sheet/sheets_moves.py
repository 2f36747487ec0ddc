"""Rows that are inserted and deleted, and what moves with them."""

from typing import Any

Cell = dict[str, Any]

PROTECTED = "You are trying to edit a protected cell or object. Please contact the owner."


class Refusal(Exception):  # noqa: N818
    """A 400 of the API."""


class Moves:
    sheets: list[dict[str, Any]]

    def _by_id(self, sheet_id: int | None) -> dict[str, Any]:
        for sheet in self.sheets:
            if sheet["properties"]["sheetId"] == (sheet_id or 0):
                return sheet
        raise Refusal(f"No grid with id: {sheet_id}")

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
        # Sources of charts, and ranges under protection, a filter or a conditional format, grow and
        # shrink with their rows.
        ranges = [part["range"] for part in sheet["protectedRanges"]]
        ranges += [area for rule in sheet["conditionalFormats"] for area in rule["ranges"]]
        ranges += [sheet["basicFilter"]["range"]] if sheet["basicFilter"] else []
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

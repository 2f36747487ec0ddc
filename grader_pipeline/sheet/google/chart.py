"""The chart beside a table, as requests of the Sheets API.

It is made once. Its id is computed from its worksheet's id. Later writes only make it cover all
lines, so what readers change of its style and place stays.
"""

import copy
import zlib
from typing import Any

from grader_pipeline.sheet.google.batch_update import Request, area
from grader_pipeline.sheet.table import Chart
from grader_pipeline.sheet.update import Update


def chart_requests(
    chart: Chart, sheet_id: int, columns: int, update: Update, existing: list[dict[str, Any]]
) -> list[Request]:
    """Make the requests, if any, after which the chart exists once and covers all lines.

    New rows above the chart would move it down, a little more each day. It is put back.
    """
    ours = zlib.crc32(b"grader_pipeline chart of %d" % sheet_id) & 0x7FFFFFFF
    lines = update.header, max(update.end, update.header + 2)
    for other in existing:
        if other.get("chartId") == ours:
            old = other.get("spec", {})
            spec = _stretched(old, sheet_id, lines[1])
            put_back = _put_back(other, sheet_id, update)
            # Rows that are deleted make the chart's cells fewer.
            if spec == old and not update.leaving:
                return put_back
            return [{"updateChartSpec": {"chartId": ours, "spec": spec}}, *put_back]
    place = {
        "anchorCell": {
            "sheetId": sheet_id,
            "rowIndex": update.header + 1,
            "columnIndex": columns + 1,
        },
        "widthPixels": 900,
        "heightPixels": 420,
    }
    spec = _spec(chart, sheet_id, lines)
    made = {"chartId": ours, "spec": spec, "position": {"overlayPosition": place}}
    return [{"addChart": {"chart": made}}]


def _put_back(chart: dict[str, Any], sheet_id: int, update: Update) -> list[Request]:
    anchor = chart.get("position", {}).get("overlayPosition", {}).get("anchorCell", {})
    row = anchor.get("rowIndex", 0)
    if anchor.get("sheetId", 0) != sheet_id or update.moved(row) == row:
        return []
    place = {"overlayPosition": {"anchorCell": anchor}}
    moved = {"objectId": chart["chartId"], "newPosition": place, "fields": "anchorCell"}
    return [{"updateEmbeddedObjectPosition": moved}]


def _spec(chart: Chart, sheet_id: int, lines: tuple[int, int]) -> dict[str, Any]:
    def column(index: int) -> dict[str, Any]:
        source = area(sheet_id, lines, (index, index + 1))
        return {"sourceRange": {"sources": [source]}}

    return {
        "title": chart.title,
        "altText": chart.title,
        "basicChart": {
            "chartType": "LINE" if chart.kind == "line" else "COLUMN",
            "legendPosition": "BOTTOM_LEGEND",
            "headerCount": 1,
            "domains": [{"domain": column(chart.axis)}],
            "series": [
                {"series": column(index), "targetAxis": "LEFT_AXIS"} for index in chart.series
            ],
        },
    }


def _stretched(spec: dict[str, Any], sheet_id: int, lines: int) -> dict[str, Any]:
    """Give the same spec with its sources on our worksheet down to the table's last line."""
    spec = copy.deepcopy(spec)
    basic = spec.get("basicChart", {})
    parts = [part.get("domain", {}) for part in basic.get("domains", ())]
    parts += [part.get("series", {}) for part in basic.get("series", ())]
    for part in parts:
        for source in part.get("sourceRange", {}).get("sources", ()):
            if source.get("sheetId", 0) == sheet_id:
                source["endRowIndex"] = lines
    return spec

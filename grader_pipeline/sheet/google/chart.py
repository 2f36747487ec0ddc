"""The chart beside a table, as requests of the Sheets API.

It is made once. Its id is computed from its worksheet's id. Later writes only make it cover all
lines, so what readers change of its style and place stays.
"""

import copy
import zlib
from typing import Any

from grader_pipeline.sheet.google.batch_update import Request, area
from grader_pipeline.sheet.table import Chart


def chart_requests(
    chart: Chart, sheet_id: int, columns: int, lines: int, existing: list[dict[str, Any]]
) -> list[Request]:
    """Make the requests, if any, after which the chart exists once and covers all lines."""
    ours = zlib.crc32(b"grader_pipeline chart of %d" % sheet_id) & 0x7FFFFFFF
    for other in existing:
        if other.get("chartId") == ours:
            old = other.get("spec", {})
            spec = _stretched(old, sheet_id, lines)
            return [{"updateChartSpec": {"chartId": ours, "spec": spec}}] if spec != old else []
    place = {
        "anchorCell": {"sheetId": sheet_id, "rowIndex": 1, "columnIndex": columns + 1},
        "widthPixels": 900,
        "heightPixels": 420,
    }
    spec = _spec(chart, sheet_id, lines)
    made = {"chartId": ours, "spec": spec, "position": {"overlayPosition": place}}
    return [{"addChart": {"chart": made}}]


def _spec(chart: Chart, sheet_id: int, lines: int) -> dict[str, Any]:
    def column(index: int) -> dict[str, Any]:
        source = area(sheet_id, (0, lines), (index, index + 1))
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

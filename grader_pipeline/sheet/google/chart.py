"""The chart beside a table, as requests of the Sheets API.

It is made once. Its id is computed from its worksheet's id. Later writes only make it cover all
lines, so what readers change of its style and place stays.
"""

import copy
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from grader_pipeline.sheet.google.batch_update import Request, area
from grader_pipeline.sheet.table import Chart, Table
from grader_pipeline.sheet.update import Update

_GAP = 24
"""Pixels between a table and the chart of another worksheet's."""


class Place(NamedTuple):
    """A worksheet: its id, its table, and what changes there."""

    sheet_id: int
    table: Table
    update: Update


def chart_requests(
    places: Mapping[str, Place], existing: Sequence[dict[str, Any]]
) -> Iterator[Request]:
    """Make the requests, if any, after which each chart exists once and covers all lines.

    ``places`` are by the titles of the tables: a chart may show another worksheet.
    """
    for title, place in places.items():
        if chart := place.table.chart:
            yield from _requests(chart, place, places[chart.of or title], existing)


def _requests(
    chart: Chart, place: Place, source: Place, existing: Sequence[dict[str, Any]]
) -> list[Request]:
    """New rows above the chart would move it down, a little more each day. It is put back."""
    sheet_id, update = place.sheet_id, place.update
    ours = zlib.crc32(b"grader_pipeline chart of %d" % sheet_id) & 0x7FFFFFFF
    rows = _rows(chart, source.update)
    for other in existing:
        if other.get("chartId") == ours:
            old = other.get("spec", {})
            spec = _stretched(old, source.sheet_id, rows)
            put_back = _put_back(other, sheet_id, update)
            # Rows that are deleted make the chart's cells fewer.
            if spec == old and not source.update.leaving:
                return put_back
            return [{"updateChartSpec": {"chartId": ours, "spec": spec}}, *put_back]
    width, height = chart.size
    position = {
        "anchorCell": {
            "sheetId": sheet_id,
            "rowIndex": update.header + 1,
            "columnIndex": len(place.table.columns) + (0 if chart.of else 1),
        },
        "offsetXPixels": _GAP if chart.of else 0,
        "widthPixels": width,
        "heightPixels": height,
    }
    spec = _spec(chart, source.sheet_id, rows)
    made = {"chartId": ours, "spec": spec, "position": {"overlayPosition": position}}
    return [{"addChart": {"chart": made}}]


def _rows(chart: Chart, shown: Update) -> list[tuple[int, int]]:
    """The rows that a chart shows, header first, half-open."""
    header, end = shown.header, max(shown.end, shown.header + 2)
    if chart.last is None or end - chart.last <= header + 1:
        return [(header, end)]
    return [(header, header + 1), (end - chart.last, end)]


def _put_back(chart: dict[str, Any], sheet_id: int, update: Update) -> list[Request]:
    anchor = chart.get("position", {}).get("overlayPosition", {}).get("anchorCell", {})
    row = anchor.get("rowIndex", 0)
    if anchor.get("sheetId", 0) != sheet_id or update.moved(row) == row:
        return []
    place = {"overlayPosition": {"anchorCell": anchor}}
    moved = {"objectId": chart["chartId"], "newPosition": place, "fields": "anchorCell"}
    return [{"updateEmbeddedObjectPosition": moved}]


def _spec(chart: Chart, source_id: int, rows: list[tuple[int, int]]) -> dict[str, Any]:
    def column(index: int) -> dict[str, Any]:
        sources = [area(source_id, some, (index, index + 1)) for some in rows]
        return {"sourceRange": {"sources": sources}}

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


def _stretched(spec: dict[str, Any], source_id: int, rows: list[tuple[int, int]]) -> dict[str, Any]:
    """Give the same spec with its sources on our worksheet down to the table's last line."""
    spec = copy.deepcopy(spec)
    basic = spec.get("basicChart", {})
    parts = [part.get("domain", {}) for part in basic.get("domains", ())]
    parts += [part.get("series", {}) for part in basic.get("series", ())]
    for part in parts:
        sources = part.get("sourceRange", {}).get("sources", [])
        ours = [source for source in sources if source.get("sheetId", 0) == source_id]
        if len(rows) == 1 and len(ours) == len(sources) == 1:
            ours[0]["endRowIndex"] = rows[0][1]
        elif ours and len(ours) == len(sources):
            columns = ours[0].get("startColumnIndex", 0), ours[0].get("endColumnIndex", 0)
            part["sourceRange"]["sources"] = [area(source_id, some, columns) for some in rows]
    return spec

"""The chart beside a worksheet's table in the workbook. Google's is made by ``google/chart.py``."""

from collections.abc import Mapping
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference, Series
from openpyxl.chart.axis import DateAxis
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.series import SeriesLabel
from openpyxl.utils import get_column_letter, quote_sheetname, range_to_tuple
from openpyxl.worksheet.worksheet import Worksheet

from grader_pipeline.sheet.table import DATE, Chart, Table

_PIXELS_PER_CM = 37.8


class Place(NamedTuple):
    """A worksheet, its table, and the rows of its header and of its last line, from 1."""

    sheet: Worksheet
    table: Table
    header: int
    last: int


def set_charts(book: Workbook, places: Mapping[str, Place]) -> bool:
    """Add the charts of the tables, or make them cover all lines. True if one did not before.

    ``places`` are by the titles of the tables: a chart may show another worksheet.
    """
    changed = False
    for title, place in places.items():
        if chart := place.table.chart:
            changed |= _set_chart(book, place, places[chart.of or title], chart)
    return changed


def _set_chart(book: Workbook, place: Place, source: Place, wanted: Chart) -> bool:
    for chart in place.sheet._charts:  # openpyxl has no public list
        references = [
            reference.numRef or reference.strRef
            for series in chart.series
            for reference in (series.cat, series.val)
            if reference and (reference.numRef or reference.strRef)
        ]
        cells = [_stretched(reference.f, book, source, wanted) for reference in references]
        if cells and None not in cells:
            is_new = cells != [reference.f for reference in references]
            for reference, new in zip(references, cells, strict=True):
                reference.f = new
            return is_new
    column = get_column_letter(len(place.table.columns) + 2)
    place.sheet.add_chart(_new_chart(source, wanted), f"{column}{place.header + 1}")
    return True


def _first_row(source: Place, wanted: Chart) -> int:
    first = source.header + 1
    return first if wanted.last is None else max(first, source.last - wanted.last + 1)


def _stretched(cells: str, book: Workbook, source: Place, wanted: Chart) -> str | None:
    """The cells that a chart shows, down to the last line; None if they are not in our columns."""
    try:
        title, (left, top, right, bottom) = range_to_tuple(cells)
    except ValueError:
        return None
    # A program that renamed the worksheet may have left its old name in the chart.
    is_renamed = title not in book.sheetnames
    if (title != source.sheet.title and not is_renamed) or right > len(source.table.columns):
        return None
    # A whole column has no first row.
    if top is None:
        return cells
    first = top if wanted.last is None else _first_row(source, wanted)
    last = max(source.last, first)
    if (top, bottom) == (first, last) and not is_renamed:
        return cells
    return str(Reference(source.sheet, left, first, right, last))


def _new_chart(source: Place, wanted: Chart) -> LineChart | BarChart:
    chart = LineChart() if wanted.kind == "line" else BarChart()
    chart.title = wanted.title
    chart.width, chart.height = (pixels / _PIXELS_PER_CM for pixels in wanted.size)
    chart.legend.position = "b"
    if source.table.columns[wanted.axis] == DATE:
        chart.x_axis = DateAxis(crossAx=100)
        chart.x_axis.number_format = "dd.mm"
        chart.y_axis.crossAx = 500
    # Newer Excel hides both axes if this is not set.
    chart.x_axis.delete = chart.y_axis.delete = False
    rows = {"min_row": _first_row(source, wanted), "max_row": source.last}
    for place in wanted.series:
        series = Series(Reference(source.sheet, min_col=place + 1, **rows))
        label = (
            f"{quote_sheetname(source.sheet.title)}!${get_column_letter(place + 1)}${source.header}"
        )
        series.tx = SeriesLabel(strRef=StrRef(label))
        series.smooth = False
        chart.series.append(series)
    chart.set_categories(Reference(source.sheet, min_col=wanted.axis + 1, **rows))
    return chart

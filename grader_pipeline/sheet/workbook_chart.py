"""The chart beside a worksheet's table in the workbook. Google's is made by ``google/chart.py``."""

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.axis import DateAxis
from openpyxl.utils import get_column_letter, range_to_tuple
from openpyxl.worksheet.worksheet import Worksheet

from grader_pipeline.sheet.table import DATE, Chart, Table


def set_chart(book: Workbook, sheet: Worksheet, table: Table, rows: tuple[int, int]) -> bool:
    """Add the chart, if any, or make it cover all lines. True if it did not before.

    ``rows`` are that of the header and that of the last line, counted from 1.
    """
    if table.chart is None:
        return False
    for chart in sheet._charts:  # openpyxl has no public list
        sources = [
            source.numRef or source.strRef
            for series in chart.series
            for source in (series.cat, series.val)
            if source and (source.numRef or source.strRef)
        ]
        wanted = [_stretched(source.f, book, sheet, table, rows[1]) for source in sources]
        if wanted and None not in wanted:
            is_new = wanted != [source.f for source in sources]
            for source, cells in zip(sources, wanted, strict=True):
                source.f = cells
            return is_new
    sheet.add_chart(
        _new_chart(sheet, table, table.chart, rows),
        f"{get_column_letter(len(table.columns) + 2)}{rows[0] + 1}",
    )
    return True


def _stretched(
    cells: str, book: Workbook, sheet: Worksheet, table: Table, lines: int
) -> str | None:
    """The cells that a chart shows, down to the last line; None if they are not in our columns."""
    try:
        title, (left, top, right, bottom) = range_to_tuple(cells)
    except ValueError:
        return None
    # A program that renamed the worksheet may have left its old name in the chart.
    is_renamed = title not in book.sheetnames
    if (title != sheet.title and not is_renamed) or right > len(table.columns):
        return None
    # A whole column has no first row.
    if top is None or (bottom == (last := max(lines, top)) and not is_renamed):
        return cells
    return str(Reference(sheet, left, top, right, last))


def _new_chart(
    sheet: Worksheet, table: Table, wanted: Chart, rows: tuple[int, int]
) -> LineChart | BarChart:
    chart = LineChart() if wanted.kind == "line" else BarChart()
    chart.title = wanted.title
    chart.width, chart.height = 24, 11
    chart.legend.position = "b"
    if table.columns[wanted.axis] == DATE:
        chart.x_axis = DateAxis(crossAx=100)
        chart.x_axis.number_format = "dd.mm"
        chart.y_axis.crossAx = 500
    # Newer Excel hides both axes if this is not set.
    chart.x_axis.delete = chart.y_axis.delete = False
    for place in wanted.series:
        values = Reference(sheet, min_col=place + 1, min_row=rows[0], max_row=rows[1])
        chart.add_data(values, titles_from_data=True)
    chart.set_categories(
        Reference(sheet, min_col=wanted.axis + 1, min_row=rows[0] + 1, max_row=rows[1])
    )
    return chart

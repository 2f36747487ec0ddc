"""The reports' worksheets: rows of a report's table as a table of the sheet.

The daily numbers have a layout of their own, in ``table.py``; every other report gets a worksheet
named by its title, with the day in front and its labelled columns, and its chart beside them.
"""

from collections.abc import Sequence

from grader_pipeline.reports.definition import MAIN, Report
from grader_pipeline.reports.privacy import Row, labels, shown
from grader_pipeline.sheet.table import DATE, Chart, Column, Table

_TEXT_WIDTH = 320
_NUMBER_WIDTH = 140


def has_worksheet(report: Report) -> bool:
    """Whether the report has a worksheet of its own."""
    return report.sheet is not None and report.sheet != MAIN


def worksheet(report: Report, rows: Sequence[Row]) -> Table | None:
    """What the worksheet of a report shows of these rows, or None if that is nothing.

    A report that shows its newest days only loses older ones from the sheet; one that shows all
    keeps whatever days the sheet has.
    """
    rows = shown(report, rows)
    if not rows:
        return None
    headed = labels(report, rows)
    columns = (
        DATE,
        *(
            Column(text, "text", _TEXT_WIDTH)
            if any(isinstance(row[name], str) for row in rows)
            else Column(text, "number", _NUMBER_WIDTH)
            for name, text in headed.items()
        ),
    )
    names = ["report_date", *headed]
    return Table(
        columns,
        tuple(tuple(row[name] for name in names) for row in rows),
        worksheet=report.title,
        chart=_chart(report, names),
        keeps_days=report.sheet == "all",
    )


def _chart(report: Report, names: Sequence[str]) -> Chart | None:
    drawing = report.chart
    if drawing is None or not {drawing.x, *drawing.y} <= set(names):
        return None
    return Chart(
        report.description or report.title,
        "line" if drawing.kind == "line" else "bar",
        names.index(drawing.x),
        tuple(names.index(name) for name in drawing.y),
    )

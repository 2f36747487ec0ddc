"""The reports' worksheets: rows of a report's table as a table of the sheet.

``table.py`` lays out the main report. Every other report has a worksheet with its title as name:
the day, the labelled columns, and the chart beside them.
"""

from collections.abc import Sequence

from grader_pipeline.reports.definition import MAIN, Report, Row
from grader_pipeline.reports.privacy import columns_to_show, rows_to_show
from grader_pipeline.sheet.table import DATE, Chart, Column, Table

_TEXT_WIDTH = 320
_NUMBER_WIDTH = 140


def has_worksheet(report: Report) -> bool:
    """Whether the report has a worksheet of its own."""
    return report.sheet is not None and report.sheet != MAIN


def worksheet(report: Report, rows: Sequence[Row]) -> Table | None:
    """Lay out the worksheet of a report with these rows; None if none of them may be shown.

    A report that shows its newest days loses older ones from the sheet. One that shows all days
    keeps each day that the sheet has.
    """
    rows = rows_to_show(report, rows)
    if not rows:
        return None
    labels = columns_to_show(report, rows)
    columns = [DATE]
    for name, label in labels.items():
        has_texts = any(isinstance(row[name], str) for row in rows)
        columns.append(Column(label, _TEXT_WIDTH if has_texts else _NUMBER_WIDTH))
    names = ["report_date", *labels]
    return Table(
        tuple(columns),
        tuple(tuple(row[name] for name in names) for row in rows),
        worksheet=report.title,
        chart=_chart(report, names),
        keeps_days=report.sheet == "yes",
    )


def _chart(report: Report, names: Sequence[str]) -> Chart | None:
    wanted = report.chart
    if wanted is None or not {wanted.x, *wanted.y} <= set(names):
        return None
    return Chart(
        report.description or report.title,
        wanted.kind,
        names.index(wanted.x),
        tuple(names.index(name) for name in wanted.y),
    )

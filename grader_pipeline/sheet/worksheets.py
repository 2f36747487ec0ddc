"""The reports' worksheets: rows of a report's table as a table of the sheet.

``table.py`` lays out the main report. Every other report has a worksheet with its title as name:
the day, the labelled columns, and the chart beside them.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from grader_pipeline.reports.definition import Report, Row
from grader_pipeline.reports.header_values import MAIN
from grader_pipeline.reports.privacy import columns_to_show
from grader_pipeline.reports.units import with_cells
from grader_pipeline.sheet.table import DATE, Chart, Column, Table

_TEXT_WIDTH = 320
_NUMBER_WIDTH = 140


def has_worksheet(report: Report) -> bool:
    """Whether the report has a worksheet of its own."""
    return report.sheet is not None and report.sheet != MAIN


def worksheet(report: Report, rows: Sequence[Row], days: Collection[dt.date]) -> Table:
    """Lay out the worksheet of a report with these rows. ``rows`` are those of ``read_shown``.

    A report that shows its newest days loses older ones from the sheet. One that shows all days
    keeps each day that the sheet has, but for ``days``: they are stored, and their lines are
    ``rows``.
    """
    labels = columns_to_show(report)
    columns = [DATE]
    for name, label in labels.items():
        has_texts = any(isinstance(row[name], str) for row in rows)
        former = frozenset(report.formerly.get(name, ()))
        columns.append(Column(label, _TEXT_WIDTH if has_texts else _NUMBER_WIDTH, former))
    names = ["report_date", *labels]
    kinds = [report.columns[name].kind for name in labels]
    dimensions = [place for place, kind in enumerate(kinds, start=1) if kind == "dimension"]
    return Table(
        tuple(columns),
        tuple(tuple(row[name] for name in names) for row in with_cells(report, rows)),
        worksheet=report.title,
        chart=_chart(report, names),
        keeps_days=report.sheet == "yes",
        days=frozenset(days),
        named_by=(0, *dimensions) if dimensions else None,
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

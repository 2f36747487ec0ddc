"""What of a report may leave the database. This is the one place that decides it.

The rule holds for the sheet, the Dagster UI, the pictures and the page. Only reports that ask for a
worksheet are shown. A row about one to four learners is not shown. A share of one to four learners
is blank.
"""

from collections.abc import Sequence

import dagster as dg

from grader_pipeline.reports.definition import Report, Row

LEAST_LEARNERS = 5
_PREVIEWED = 5


def may_be_shown(report: Report) -> bool:
    """Whether anything of the report may leave the database."""
    return report.sheet is not None


def rows_to_show(report: Report, rows: Sequence[Row]) -> list[Row]:
    """The rows that may be shown. A cell is None if it is a share of too few learners."""
    of = {name: label.of for name, label in report.columns.items() if label.of}
    return [
        {name: None if _is_small(row.get(of.get(name, ""))) else cell for name, cell in row.items()}
        for row in rows
        if not _is_small(row.get("learners"))
    ]


def columns_to_show(report: Report, rows: Sequence[Row]) -> dict[str, str]:
    """The columns that are shown, with their labels, in the header's order."""
    if report.columns:
        return {name: label.text for name, label in report.columns.items()}
    return {name: name for row in rows[:1] for name in row if name != "report_date"}


def preview(report: Report, rows: Sequence[Row]) -> dg.MetadataValue:
    """The first rows as a table for the Dagster UI. They are those of :func:`rows_to_show`."""
    if not rows:
        return dg.MetadataValue.text("no rows")
    columns = columns_to_show(report, rows)
    shown = [{label: row[name] for name, label in columns.items()} for row in rows[:_PREVIEWED]]
    return dg.MetadataValue.table(
        [dg.TableRecord({k: "" if v is None else str(v) for k, v in row.items()}) for row in shown]
    )


def _is_small(learners: object) -> bool:
    return isinstance(learners, int) and 0 < learners < LEAST_LEARNERS

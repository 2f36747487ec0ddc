"""What of a report may leave the database: the one place that decides it.

For the sheet, the Dagster UI, the pictures and the page alike: only reports that ask for a
worksheet are shown, and of them no row about one to four learners, and no share of so few.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from grader_pipeline.reports.definition import Report

LEAST_LEARNERS = 5
_PREVIEWED = 30

Row = dict[str, Any]


def is_shown(report: Report) -> bool:
    """Whether anything of the report may leave the database."""
    return report.sheet is not None


def shown(report: Report, rows: Sequence[Row]) -> list[Row]:
    """The rows that may be shown, blank where they tell of too few learners."""
    return [
        {name: None if _few(row, report, name) else value for name, value in row.items()}
        for row in rows
        if not _is_small(row.get("learners"))
    ]


def labels(report: Report, rows: Sequence[Row]) -> dict[str, str]:
    """The columns that are shown and how they are headed, in the header's order."""
    if report.columns:
        return {name: label.text for name, label in report.columns.items()}
    return {name: name for row in rows[:1] for name in row if name != "report_date"}


def preview(report: Report, rows: Sequence[Row]) -> dg.MetadataValue:
    """The first rows as a table for the Dagster UI. Give it what :func:`shown` gave."""
    if not rows:
        return dg.MetadataValue.text("no rows")
    headed = labels(report, rows)
    records = [
        dg.TableRecord({text: _cell(row[name]) for name, text in headed.items()})
        for row in rows[:_PREVIEWED]
    ]
    return dg.MetadataValue.table(records)


def _few(row: Row, report: Report, name: str) -> bool:
    label = report.columns.get(name)
    return label is not None and label.of is not None and _is_small(row.get(label.of))


def _is_small(learners: object) -> bool:
    return isinstance(learners, int) and 0 < learners < LEAST_LEARNERS


def _cell(value: object) -> str:
    return "" if value is None else str(value)

"""Names and numbers of the tests of the sheet."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from grader_pipeline.reports.day_metrics import MAIN_METRICS
from grader_pipeline.reports.definition import Row
from grader_pipeline.sheet.cells import labels_of
from grader_pipeline.sheet.table import Table

ACCOUNT = "robot@school.iam.gserviceaccount.com"
BOOK = "1AbC-spreadsheet_id"
NAME = "Агрегированные данные за день"
LABELS = (
    "Количество попыток (submit)",
    "Количество успешных попыток (submit)",
    "Количество уникальных юзеров",
)
"""The labels of MAIN_METRICS."""
HEADER = ["Дата отчета", "Показатель", "Значение"]
FAR = 25
"""A column right of ours on every worksheet."""


class Reader:
    """A colleague at a spreadsheet, whatever it is."""

    lines: Callable[[str], list[list[Any]]]
    write: Callable[[str, int, int, str | int | None], None]
    """Title, row, column, both from 0, and what they type."""
    tabs: Callable[[], list[str]]


def metrics(*days: str, first: int | None = None) -> list[Row]:
    """Rows of daily_metrics for days such as ``2023-05-31``. Each day has its own numbers."""
    rows: list[Row] = []
    for day in days:
        date = dt.date.fromisoformat(day)
        values = (Decimal(first or date.toordinal() % 1000), Decimal(date.day), Decimal("12.5"))
        rows += [
            {"report_date": date, "metric": metric, "label": label, "value": value}
            for metric, label, value in zip(MAIN_METRICS, LABELS, values, strict=True)
        ]
    return rows


def with_labels(tables: Sequence[Table], *earlier: Sequence[Table]) -> tuple[Table, ...]:
    """The tables, with the labels that they and earlier ones have: what a database knows."""
    found = []
    for table in tables:
        same = [
            other for others in earlier for other in others if other.worksheet == table.worksheet
        ]
        labels = frozenset(label for other in [table, *same] for label in labels_of(other))
        found.append(replace(table, labels=labels))
    return tuple(found)


def workbook_lines(path: Path, sheet: str = "Лист1", width: int = 3) -> list[list[object]]:
    """The leftmost columns of a workbook's worksheet."""
    rows = load_workbook(path)[sheet].iter_rows(max_col=width, values_only=True)
    return [list(row) for row in rows]

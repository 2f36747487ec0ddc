"""What a worksheet shows: a table of typed values, the same for Google Sheets and the workbook.

A table has what the readers see: Russian labels, the order of lines, number formats, a chart.
``sheet/google`` and ``sheet/workbook.py`` write it. Its columns are the leftmost ones of a
worksheet. The columns right of them belong to the readers.
"""

import datetime as dt
import logging
import math
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, Literal

from grader_pipeline.reports.day_metrics import MAIN_METRICS, main_metrics
from grader_pipeline.reports.definition import CHART_WORKSHEET, Row
from grader_pipeline.reports.units import Change, Percent, Points, cell

log = logging.getLogger(__name__)

Value = str | int | float | dt.date | dt.time | None
"""What a cell can have. A number of ``units.py`` has its unit in the format."""

Line = tuple[Value, ...]
"""The cells of one line of a worksheet."""


@dataclass(frozen=True)
class Column:
    """One of our columns: its label, and its width in pixels."""

    label: str
    width: int
    former_labels: frozenset[str] = frozenset()
    """Earlier labels of the column. A worksheet may still have one of them."""
    by_readers: bool = False
    """Whether readers write its cells. They are read and kept beside their line, never written."""
    wraps: bool = False
    """Whether long texts of its cells are broken into lines."""
    side: Literal["left", "right"] | None = None
    """Where its cells are. None: texts at the left, numbers and days at the right."""
    is_detail: bool = False
    """Whether the column is folded away on a new worksheet."""


DATE = Column("Дата отчета", 110, side="left")
DAILY_COLUMNS = (
    DATE,
    Column("Показатель", 420, wraps=True),
    Column("Значение", 150, wraps=True, side="right"),
)


# Of equal values, 1 and 1 % have different ones.
@lru_cache(maxsize=4096, typed=True)
def number_format(value: Value) -> str | None:
    """Give the number format of a cell, in the notation that Excel and Google Sheets share.

    Numbers show decimals only if they have some. None for a text or an empty cell.
    """
    if isinstance(value, dt.date):
        return "dd.mm.yyyy"
    if isinstance(value, dt.time):
        return "hh:mm"
    if isinstance(value, Change | Points):
        unit = '" п.п."' if isinstance(value, Points) else '" %"'
        return f"+#,##0.0#{unit};-#,##0.0#{unit};0{unit}"
    if isinstance(value, Percent):
        return '#,##0.0#" %"'
    if isinstance(value, int | float):
        return "#,##0" if value == int(value) else "#,##0.0##"
    return None


@dataclass(frozen=True)
class Chart:
    """A chart beside the table. One column is the axis, the others are lines or bars."""

    title: str
    kind: Literal["line", "bar"]
    axis: int
    """The place of the axis among the table's columns, from 0."""
    series: tuple[int, ...]
    """The places of the lines or bars among the table's columns."""
    of: str | None = None
    """The worksheet whose table the chart shows. None: its own."""
    last: int | None = None
    """How many lines it shows: the last ones. None: all."""
    size: tuple[int, int] = (900, 420)
    """Its width and height in pixels."""


@dataclass(frozen=True)
class Highlight:
    """What is unusual in a column: a conditional format for its cells."""

    column: int
    """Its place among the table's columns, from 0."""
    kind: Literal["below", "above", "text"]
    """Numbers below or above the bound, or texts that have it in them."""
    bound: float | str


@dataclass(frozen=True)
class Table:
    """What the leftmost columns of one worksheet shall show.

    ``worksheet`` None is the worksheet of GOOGLE_SHEETS_WORKSHEET. If the first column is DATE,
    lines are ordered by day, and days that only the worksheet has stay (``sheet/update.py``). If
    ``keeps_days`` is false, such days leave. So do ``days``, as far as they have no lines.

    A table without lines makes no worksheet. It empties one that there is.

    Raises ValueError for lines that do not fit the columns.
    """

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    worksheet: str | None = None
    chart: Chart | None = None
    newest_first: bool = True
    keeps_days: bool = True
    days: frozenset[dt.date] = frozenset()
    formerly: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Labels of lines, each with the labels that the same line had in earlier releases."""
    named_by: tuple[int, ...] | None = None
    """The places of the columns that name a line, from 0. ``key_columns`` says what None means.
    Without the first one, the day does not name it: the line is the same one on the next day."""
    labels: frozenset[tuple[str | int | float | None, ...]] | None = None
    """What ever named a line, without its day (``sheet/cells.py``: ``labels_of``). A line that the
    table has no more goes only if its label is one of them. If they are not known (None), those of
    ``lines`` count, and, without ``keeps_days``, each line that has a day and a label."""
    highlights: tuple[Highlight, ...] = ()
    frozen: int = 0
    """How many columns stay in view when readers scroll to the right."""
    large: tuple[int, int] = (0, 0)
    """The lines that a new worksheet shows large, half-open."""

    def __post_init__(self) -> None:
        lines = tuple(tuple(map(_plain, line)) for line in self.lines)
        object.__setattr__(self, "lines", lines)
        if any(len(line) != len(self.columns) for line in lines):
            raise ValueError(f"each line needs {len(self.columns)} values")
        if self.by_date and not all(isinstance(line[0], dt.date) for line in lines):
            raise ValueError(f"each line needs a date in the column {self.columns[0].label}")

    def known_by(self, labels: frozenset[tuple[str | int | float | None, ...]] | None) -> "Table":
        """The same table with these ``labels``. Its cells are not looked at again."""
        table = copy(self)
        object.__setattr__(table, "labels", labels)
        return table

    @cached_property
    def by_date(self) -> bool:
        """Whether each line belongs to a day."""
        return self.columns[0] == DATE

    @property
    def key_columns(self) -> tuple[int, ...]:
        """The columns that name a line: ``named_by``, else the first, and with a day the second."""
        return self.named_by if self.named_by is not None else (0, 1) if self.by_date else (0,)


def daily_report(
    rows: Sequence[Row], formerly: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Table, ...]:
    """Everything the sheet shows of daily_metrics: the daily table and the chart's own table.

    ``rows`` have ``report_date`` (date), ``metric``, ``label``, ``value``, ``unit`` and ``text``.
    The daily table is ``Дата отчета | Показатель | Значение``: all days, the newest first. Within a
    day the lines have the order of ``rows``. ``formerly`` has former labels, by metric.
    """
    former = formerly or {}
    lines: tuple[tuple[Any, ...], ...] = tuple(
        (row["report_date"], row["label"], cell(row["value"], row.get("unit"), row.get("text")))
        for row in rows
    )
    labels = {row["label"]: former[row["metric"]] for row in rows if row["metric"] in former}
    daily, chart = Table(DAILY_COLUMNS, lines, formerly=labels), chart_table(rows)
    return (daily, chart) if chart else (daily,)


def chart_table(rows: Sequence[Row]) -> Table | None:
    """Lay out the main metrics: a line per day, a column per metric, the oldest day first.

    A chart needs a column for each of its lines. Metrics are found by name and headed by the label
    of the newest day. If one of them is in no row, this is an error in the log, and None: a chart
    that lacks a line must not replace a whole one.
    """
    days = sorted({row["report_date"] for row in rows})
    newest = {row["metric"] for row in rows if row["report_date"] == days[-1]}
    if missing := [name for name in MAIN_METRICS if name not in newest]:
        log.error(
            "daily_metrics has no %s on its newest day, and the chart «%s» needs it: put it back "
            "into sql/reports/daily_metrics.sql.", ", ".join(missing), CHART_WORKSHEET,
        )  # fmt: skip
    metrics: Mapping[str, Mapping[dt.date, Any]] = main_metrics(rows)
    if len(metrics) < len(MAIN_METRICS):
        return None
    columns = [DATE]
    for name, label in zip(MAIN_METRICS, metrics, strict=True):
        labels = frozenset(row["label"] for row in rows if row["metric"] == name)
        columns.append(Column(label, 180, former_labels=labels))
    return Table(
        columns=tuple(columns),
        lines=tuple((day, *(values.get(day) for values in metrics.values())) for day in days),
        worksheet=CHART_WORKSHEET,
        chart=Chart("Попытки и юзеры по дням", "line", 0, tuple(range(1, len(columns)))),
        newest_first=False,
        named_by=(0,),
    )


def _plain(value: object) -> Value:
    """Give the value as a cell can have it: whole numbers as int, nothing as None."""
    if value.__class__ is int:  # most cells
        return value
    if value is None or value == "":
        return None
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            return None
        if isinstance(value, Percent | Points):
            return value
        return int(value) if value == int(value) else float(value)
    if isinstance(value, dt.datetime | bool) or not isinstance(
        value, str | int | dt.date | dt.time
    ):
        raise TypeError(
            f"a cell holds text, a number, a date or a time, not {type(value).__name__}"
        )
    return value

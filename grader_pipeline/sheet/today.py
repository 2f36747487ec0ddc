"""The worksheet «Сегодня»: the newest day at one glance, beside the day and the week before.

Below its metrics it says how many lines of other reports are marked as unusual on that day.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from grader_pipeline.reports.day_metrics import HISTORY_DAYS, MAIN_METRICS
from grader_pipeline.reports.definition import CHART_WORKSHEET, TODAY_WORKSHEET, Row
from grader_pipeline.reports.units import Change, Points, Unit, cell, unit_of
from grader_pipeline.sheet.table import Chart, Column, Highlight, Line, Table, Value

METRICS = (
    *MAIN_METRICS, "success_share", "attempts", "submitting_users", "new_users", "active_users_7",
    "busiest_hour",
)  # fmt: skip
"""The metrics of daily_metrics that are shown, by name."""

_COLUMNS = (
    Column("Показатель", 340, wraps=True),
    Column("Значение", 100, wraps=True, side="right"),
    Column("Накануне", 100, wraps=True, side="right"),
    Column("Неделю назад", 100, wraps=True, side="right"),
    Column("Изменение за неделю", 105),
)
_CHART_SIZE = (580, 360)
"""Table and chart are side by side on a small screen."""
_FELL = -30
"""A change in per cent that is marked."""


def today(rows: Sequence[Row], tables: Sequence[Table]) -> Table | None:
    """Lay out the worksheet of the newest day of ``rows``, which are those of daily_metrics.

    ``tables`` are the other worksheets. None without rows.
    """
    if not rows:
        return None
    day = max(row["report_date"] for row in rows)
    days = (day, day - dt.timedelta(days=1), day - dt.timedelta(days=7))
    stored = {row["report_date"] for row in rows}
    metrics = {(row["report_date"], row["metric"]): row for row in rows}
    shown = (_line(metrics, name, days) for name in METRICS)
    lines: list[Line] = [
        ("День отчёта", *(date if date in stored else _not_loaded(date) for date in days), None),
        *(line for line in shown if line),
    ]
    lines += (line for table in tables if (line := _marked(table, days)))
    main = {row["label"] for row in rows if row["metric"] in MAIN_METRICS}
    chart = None
    if any(table.worksheet == CHART_WORKSHEET for table in tables):
        series = tuple(range(1, len(MAIN_METRICS) + 1))
        title = f"Последние {HISTORY_DAYS} дней"
        chart = Chart(
            title, "line", 0, series, of=CHART_WORKSHEET, last=HISTORY_DAYS, size=_CHART_SIZE
        )
    return Table(
        _COLUMNS,
        tuple(lines),
        worksheet=TODAY_WORKSHEET,
        chart=chart,
        highlights=(Highlight(len(_COLUMNS) - 1, "below", _FELL),),
        formerly=dict(map(_former_label, tables)),
        # The main metrics, below the day.
        large=(1, 1 + sum(line[0] in main for line in lines)),
    )


def _line(
    metrics: Mapping[tuple[dt.date, str], Row], name: str, days: Sequence[dt.date]
) -> Line | None:
    found = [metrics.get((day, name)) for day in days]
    if (now := found[0]) is None:
        return None
    cells = [row and cell(row["value"], row["unit"], row["text"]) for row in found]
    return (now["label"], *cells, _change(now, found[-1]))


def _change(now: Row, before: Row | None) -> Value:
    """How a metric differs from a week before: shares in points, counts in per cent."""
    value, other = now["value"], before and before["value"]
    if value is None or other is None:
        return None
    match unit_of(now["unit"]):
        case Unit.PERCENT:
            return Points(value - other)
        case Unit.COUNT | Unit.NUMBER if other:
            return Change(round(Decimal(100) * (value - other) / other, 1))
    return None


def _marked(table: Table, days: Sequence[dt.date]) -> Line | None:
    """How many lines of a report are unusual; None if nothing of it is ever marked.

    So too if it has no lines at all: it may have no worksheet yet.
    """
    if not (table.by_date and table.highlights and table.lines):
        return None
    # A worksheet of the newest days has no lines of the days before.
    known = {line[0] for line in table.lines} | {days[0]}
    known |= table.days if table.keeps_days else set()
    counts = [sum(_unusual(table, day)) if day in known else None for day in days]
    return (_label_of(table), *counts, None)


def _label_of(table: Table) -> str:
    """It names the report: readers may rename the worksheet."""
    return f"Строк с оранжевой отметкой в отчёте «{table.worksheet}»"


def _former_label(table: Table) -> tuple[str, tuple[str]]:
    return _label_of(table), (f"Отмечено строк на вкладке «{table.worksheet}»",)


def _not_loaded(day: dt.date) -> str:
    """Shown instead of a day of which nothing is known."""
    return f"{day:%d.%m.%Y} не загружен"


def _unusual(table: Table, day: dt.date) -> Iterator[bool]:
    for line in table.lines:
        if line[0] == day:
            yield any(_is_unusual(line[mark.column], mark) for mark in table.highlights)


def _is_unusual(value: Value, mark: Highlight) -> bool:
    if mark.kind == "text":
        return isinstance(value, str) and str(mark.bound) in value
    if not isinstance(value, int | float):
        return False
    return value < float(mark.bound) if mark.kind == "below" else value > float(mark.bound)

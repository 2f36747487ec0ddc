"""The metrics of a period on the page: a table for each seven days, a trend for each metric."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader_pipeline.reports import russian
from grader_pipeline.reports.definition import Report, Row
from grader_pipeline.reports.units import Unit, cell, unit_of

_BLOCK_DAYS = 7
"""So many columns of days fit beside the labels, on paper too."""

_LONGEST_TEXT = 13
"""Signs of a text that a day's column has room for. A longer one says why there is no number."""

_WITH_TREND = {Unit.COUNT, Unit.NUMBER, Unit.PERCENT}
_WIDTH, _HEIGHT, _MARGIN = 240, 48, 4


@dataclass(frozen=True)
class Block:
    """Some days of the period, oldest first, and for each metric its label and a cell a day."""

    days: tuple[dt.date, ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Trend:
    """A metric over the period: the line as points of an SVG, one text for each unbroken part.

    Least and greatest are shown values. A part of one day has one point.
    """

    label: str
    parts: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    least: str
    greatest: str
    last: str
    size = (_WIDTH, _HEIGHT)


def blocks(report: Report, rows: Sequence[Row], days: Sequence[dt.date]) -> list[Block]:
    """The stored days in blocks of seven, the newest block first. ``days`` are oldest first."""
    shown = {(row["label"], row["report_date"]): _shown(report, row) for row in rows}
    found = []
    for end in range(len(days), 0, -_BLOCK_DAYS):
        some = tuple(days[max(0, end - _BLOCK_DAYS) : end])
        lines = tuple(
            (label, tuple(shown.get((label, day), russian.NO_VALUE) for day in some))
            for label in _labels(rows)
        )
        found.append(Block(some, lines))
    return found


def trends(report: Report, rows: Sequence[Row], days: Sequence[dt.date]) -> list[Trend]:
    """A trend for each metric that can be drawn and has values on two days. Empty for one day."""
    units = report.units
    if units is None:
        return []
    of_label: dict[str, dict[dt.date, Row]] = {}
    for row in rows:
        if row[units.value] is not None and unit_of(row[units.unit]) in _WITH_TREND:
            of_label.setdefault(row["label"], {})[row["report_date"]] = row
    return [
        _trend(report, label, of_label[label], days)
        for label in _labels(rows)
        if len(of_label.get(label, ())) > 1
    ]


def _trend(report: Report, label: str, rows: dict[dt.date, Row], days: Sequence[dt.date]) -> Trend:
    name = str(report.units and report.units.value)
    values: dict[dt.date, Decimal] = {day: Decimal(row[name]) for day, row in rows.items()}
    ordered = sorted(values, key=lambda day: values[day])
    least, greatest = values[ordered[0]], values[ordered[-1]]
    span = max((days[-1] - days[0]).days, 1)
    height = float(greatest - least) or 1.0

    def place(day: dt.date) -> tuple[float, float]:
        right, up = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
        share = float(values[day] - least) / height if greatest > least else 0.5
        x = _MARGIN + right * (day - days[0]).days / span
        return round(x, 1), round(_MARGIN + up * (1 - share), 1)

    parts: list[list[dt.date]] = []
    for day in sorted(values):
        if parts and day - parts[-1][-1] == dt.timedelta(days=1):
            parts[-1].append(day)
        else:
            parts.append([day])
    return Trend(
        label,
        tuple(" ".join(f"{x},{y}" for x, y in map(place, part)) for part in parts if part[1:]),
        tuple(place(part[0]) for part in parts if not part[1:]),
        _shown(report, rows[ordered[0]]),
        _shown(report, rows[ordered[-1]]),
        _shown(report, rows[max(rows)]),
    )


def _labels(rows: Sequence[Row]) -> list[str]:
    """The labels in the order of the newest day. Those that it lacks follow."""
    newest_first = sorted(rows, key=lambda row: row["report_date"], reverse=True)
    return list(dict.fromkeys(row["label"] for row in newest_first))


def _shown(report: Report, row: Row) -> str:
    units = report.units
    if units is None:
        return russian.shown(row["value"])
    shown = russian.shown(cell(row[units.value], row[units.unit], row[units.text]))
    is_number = row[units.value] is not None
    return shown if is_number or len(shown) <= _LONGEST_TEXT else russian.NO_VALUE

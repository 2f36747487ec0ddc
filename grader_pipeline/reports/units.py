"""The units of metrics: what a value of a report with units is, and what readers see of it.

A report whose lines are metrics (``-- units: value by unit or text``) has the unit of each value in
a column, and in another one a text for where no number says it: why there is none, or a name.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

from grader_pipeline.reports.definition import Report, Row


class Unit(StrEnum):
    """What a value is. The files of ``sql/reports`` use these words."""

    COUNT = "count"
    """Of attempts, learners, elements: a whole number."""
    NUMBER = "number"
    """Another number, such as a mean. So is the value of a line of an earlier release."""
    PERCENT = "percent"
    """A share, in per cent. It differs from another one by points."""
    CHANGE = "change"
    """How a figure differs from that of another day, in per cent. It is not compared itself."""
    CLOCK = "clock"
    """A time of the school's day, in whole minutes after midnight."""
    HOUR = "hour"
    """An hour of the school's day, 0 to 23. It is shown from its start to its end."""
    DATE = "date"
    """A day. Only the text has it."""


class Percent(float):
    """A number that is shown with a per cent sign. 57.9 is 57.9 %."""

    __slots__ = ()


class Change(Percent):
    """A difference in per cent. It is shown with its sign."""

    __slots__ = ()


class Points(float):
    """How a share differs from another one. It is shown with its sign and ``п.п.``."""

    __slots__ = ()


Cell = str | dt.time | Percent | Decimal | int | None
"""What readers see of a value."""

_UNITS: Mapping[str | None, Unit] = {unit.value: unit for unit in Unit}
_PERCENTS = {Unit.PERCENT: Percent, Unit.CHANGE: Change}


def unit_of(word: str | None) -> Unit:
    """The unit of that word. None, and a word that this release does not know, is a number."""
    return _UNITS.get(word, Unit.NUMBER)


def cell(value: Decimal | int | str | None, unit: str | None, text: str | None) -> Cell:
    """What readers see of a value: its text, if it has one. A value that is a text stays it."""
    if text is not None or value is None or isinstance(value, str):
        return value if text is None else text
    known = unit_of(unit)
    if known is Unit.HOUR:
        return f"{int(value):02}:00–{(int(value) + 1) % 24:02}:00"
    if known is Unit.CLOCK:
        hours, minutes = divmod(int(value), 60)
        return dt.time(hours, minutes)
    return _PERCENTS[known](value) if known in _PERCENTS else value


def plain(seen: Cell) -> str:
    """A cell as text, for Dagster's UI."""
    if seen is None:
        return ""
    return f"{seen:%H:%M}" if isinstance(seen, dt.time) else str(seen)


def with_cells(report: Report, rows: Sequence[Row]) -> list[Row]:
    """The same rows, with cells in place of values that have units."""
    found = [
        {**row, **{name: cell(row[name], unit, None) for name, unit in report.unit.items()}}
        for row in rows
    ]
    if units := report.units:
        for row in found:
            row[units.value] = cell(row[units.value], row[units.unit], row[units.text])
    return found

"""Cells and lines as plain values, the same from Google and from the workbook.

A plain value is a text, a number or None. Days are counted from DAY_ZERO, times are parts of a day,
as sheets have them.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum
from functools import lru_cache

from grader_pipeline.sheet.table import Table, Value

DAY_ZERO = dt.date(1899, 12, 30)
"""Sheets count days from here: 45077 is 2023-05-31."""

_MINUTES = 24 * 60


class Odd(Enum):
    """A cell that is no text, no number and no date: a formula, a tick, an error."""

    CELL = "odd"


Plain = str | int | float | None
"""A cell's value without its format."""

Cell = Plain | Odd

Found = Sequence[Cell]
"""Our columns of one line, as read from the sheet. Cells at the end may be missing."""

Key = tuple[Plain, ...]
"""What names a line: the plain values of its table's key columns."""


def fraction_of(time: dt.time) -> float:
    """A time as sheets count it: the part of the day that has passed, by whole minutes."""
    return (60 * time.hour + time.minute) / _MINUTES


def plain(value: Value) -> Plain:
    """Give the plain value of a cell that we write."""
    if isinstance(value, dt.date):
        return (value - DAY_ZERO).days
    return fraction_of(value) if isinstance(value, dt.time) else value


def is_same(cell: Cell, value: Value) -> bool:
    """Whether a cell has this value. Numbers may differ in the last digits of a double."""
    if cell == value:
        return True
    wanted = plain(value)
    if isinstance(cell, int | float) and isinstance(wanted, int | float):
        return math.isclose(cell, wanted, rel_tol=1e-12, abs_tol=1e-12)
    return cell == wanted


def is_empty(line: Found) -> bool:
    """Whether no cell of the line has anything."""
    return all(value is None for value in line)


def cell_of(line: Found, index: int) -> Cell:
    """A cell of a line whose empty cells at the end may be missing."""
    return line[index] if index < len(line) else None


@lru_cache(maxsize=4096)
def date_of(value: Cell | dt.date) -> dt.date | None:
    """Read the day of a cell: a date as text, or a number of days since DAY_ZERO."""
    if isinstance(value, dt.date):
        return value
    if isinstance(value, int | float) and value == int(value):
        return DAY_ZERO + dt.timedelta(days=int(value)) if 30_000 < value < 80_000 else None  # noqa: PLR2004
    if isinstance(value, str):
        for notation in ("%Y-%m-%d", "%d.%m.%Y"):
            with suppress(ValueError):
                return dt.datetime.strptime(value.strip(), notation).date()  # noqa: DTZ007
    return None


class Keys:
    """Gives the key of each line of a table. A former label counts as the label of now."""

    def __init__(self, table: Table) -> None:
        self.columns = table.key_columns
        self.by_date = table.by_date
        self.former = {old: new for new, olds in table.formerly.items() for old in olds}

    def of(self, line: Sequence[Cell | Value]) -> Key | None:
        """The key of a line as read or as written. None: the line has no day, or is odd."""
        day = None
        if self.by_date and (not line or (day := _day(line[0])) is None):
            return None
        found: list[Plain] = []
        for index in self.columns:
            cell = line[index] if index < len(line) else None
            if isinstance(cell, Odd):
                return None
            found.append(day if index == 0 and self.by_date else _label(cell, self.former))
        return tuple(found)

    def label(self, key: Key) -> Key:
        """The key without the day."""
        return key[1:] if self.by_date and 0 in self.columns else key


def labels_of(table: Table) -> set[Key]:
    """The labels of a table's lines: what names them beside the day."""
    keys = Keys(table)
    return {keys.label(key) for line in table.lines if (key := keys.of(line))}


def rounded(value: Cell | Value) -> Cell:
    """The plain value of a cell, so that 12 and 12.0, or two spellings of a fraction, are equal."""
    if isinstance(value, Odd):
        return value
    number = plain(value)
    return round(number, 9) if isinstance(number, float) else number


def _day(cell: Cell | Value) -> int | None:
    day = None if isinstance(cell, dt.time) else date_of(cell)
    return (day - DAY_ZERO).days if day else None


def _label(value: Value | Cell, former: Mapping[str, str]) -> Plain:
    if isinstance(value, str):
        text = value.strip()
        return former.get(text, text) or None
    number = rounded(value)
    return None if isinstance(number, Odd) else number

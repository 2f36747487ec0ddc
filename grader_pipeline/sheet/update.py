"""What has to change on a worksheet so that it shows a table.

Google Sheets and the workbook use the same decision: they read our columns as plain values, call
:func:`compare`, and write the lines of the :class:`Update`. Lines are counted from 0. The header is
line 0.
"""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from operator import itemgetter

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.table import Column, Line, Table, Value

DAY_ZERO = dt.date(1899, 12, 30)
"""Sheets count days from here: 45077 is 2023-05-31."""


_MINUTES = 24 * 60

_LEAST_COLUMNS = 3
"""A worksheet of which so many columns have our header is ours."""


class Odd(Enum):
    """A cell that is no text, no number and no date: a formula, a tick, an error."""

    CELL = "odd"


def fraction_of(time: dt.time) -> float:
    """A time as sheets count it: the part of the day that has passed, by whole minutes."""
    return (60 * time.hour + time.minute) / _MINUTES


def time_of(number: float) -> Value | Odd:
    """The time of a cell that is formatted as one; a number of days and more is none."""
    hours, minutes = divmod(round(number * _MINUTES), 60)
    return dt.time(hours, minutes) if 0 <= hours < 24 else Odd.CELL  # noqa: PLR2004


Found = Sequence[Value | Odd]
"""Our columns of one line, as read from the sheet."""


@dataclass(frozen=True)
class Written:
    """What was written.

    ``where`` is the sheet's address or the workbook's path. ``lines`` counts the lines that the
    tables' worksheets show, without headers. ``cells`` counts the cells written. ``written`` is
    whether anything changed.
    """

    where: str
    lines: int
    cells: int
    written: bool


@dataclass(frozen=True)
class Update:
    """The lines that the worksheet shall show, and which of them have to be written."""

    lines: tuple[Line, ...]
    """Everything in our columns, header first."""
    start: int
    """The first line that differs."""
    end: int
    """One more than the last line to write: the end of the old or the new content."""

    @property
    def differing(self) -> tuple[Line, ...]:
        """The lines to write, from start to end. After the new content they are empty."""
        empty: Line = (None,) * len(self.lines[0])
        new = self.lines[self.start : self.end]
        return new + (empty,) * (self.end - self.start - len(new))

    @property
    def cells(self) -> int:
        """How many cells have to be written."""
        return (self.end - self.start) * len(self.lines[0])


def compare(table: Table, found: Sequence[Found], where: str) -> Update:
    """Compare what our columns have with what they shall have.

    Days that only the worksheet has stay, because the sheet may be older than the database.
    ``where`` names the worksheet in errors.

    Raises PermanentFailure if the worksheet has another header, or lines that are not ours, or if
    the table is empty and that of GOOGLE_SHEETS_WORKSHEET.
    """
    if not table.lines and table.worksheet is None:
        raise PermanentFailure(f"There is nothing to show in {where}: it was left as it is.")
    old = [tuple(line) for line in found]
    while old and _is_empty(old[-1]):
        old.pop()
    check_header(table.columns, old, where)
    header = tuple(column.label for column in table.columns)
    lines = (header, *_with_older_days(table, old[1:], where))
    same = sum(1 for _ in takewhile(bool, (a == b for a, b in zip(lines, old, strict=False))))
    return Update(lines, start=same, end=max(len(lines), len(old)))


def check_header(columns: Sequence[Column], found: Sequence[Found], where: str) -> None:
    """Raise PermanentFailure unless our columns are empty or have our header, now or formerly.

    A former header may have fewer columns, if nothing is where the new ones go.
    """
    if all(_is_empty(line) for line in found):
        return
    old = ["" if cell is None or cell is Odd.CELL else str(cell).strip() for cell in found[0]]
    known = [
        cell in {column.label, *column.former_labels}
        for cell, column in zip(old, columns, strict=True)
    ]
    width = sum(1 for _ in takewhile(bool, known))
    if width and all(_is_empty(line[width:]) for line in found):
        return
    if width < _LEAST_COLUMNS:
        header = " | ".join(column.label for column in columns)
        raise PermanentFailure(
            f"Wrong header: {where} begins with «{' | '.join(old)}» instead of «{header}». "
            "It was left alone. Rename that worksheet, or give it our header, and run the day "
            "again."
        )
    new = " | ".join(column.label for column in columns[width:])
    raise PermanentFailure(
        f"Wrong header: {where} has something where the columns «{new}» go. It was left alone. "
        f"Move it to columns right of our {len(columns)}, and run the day again."
    )


def _with_older_days(table: Table, found: Sequence[Found], where: str) -> list[Line]:
    """Join the table's lines and the found lines of days that the table does not have."""
    if not (table.by_date and table.keeps_days):
        return list(table.lines)
    days = {*table.days, *(line[0] for line in table.lines)}
    lines = list(table.lines)
    for number, line in enumerate(found, start=2):
        day = _date(line[0])
        if day in days or _is_empty(line):
            continue
        rest = [value for value in line[1:] if not isinstance(value, Odd)]
        if day is None or len(rest) < len(line) - 1:
            raise PermanentFailure(
                f"Line {number} of {where} is no line of this report: it has no day of the "
                "database, and no plain date with plain values. The worksheet was left alone. Move "
                f"that line to columns right of our {len(table.columns)}, and run the day again."
            )
        lines.append((day, *rest))
    return sorted(lines, key=itemgetter(0), reverse=table.newest_first)


def _is_empty(line: Found) -> bool:
    return all(value is None for value in line)


def _date(value: Value | Odd) -> dt.date | None:
    """Read the day of a cell: a date, a date as text, or a number of days since DAY_ZERO."""
    if isinstance(value, dt.date):
        return value
    if isinstance(value, int):
        return DAY_ZERO + dt.timedelta(days=value) if 30_000 < value < 80_000 else None  # noqa: PLR2004
    if isinstance(value, str):
        for notation in ("%Y-%m-%d", "%d.%m.%Y"):
            with suppress(ValueError):
                return dt.datetime.strptime(value.strip(), notation).date()  # noqa: DTZ007
    return None

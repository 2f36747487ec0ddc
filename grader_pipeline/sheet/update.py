"""What has to change on a worksheet so that it shows a table.

Google Sheets and the workbook use the same decision. They read our columns as plain values, call
:func:`decide`, look what readers have beside the lines that leave, and write the :class:`Update`.
Rows are counted from 0, as they were before the write.

A line is ours if its day and its label, now or formerly, is one that we write. So lines are found
after readers have sorted whole rows, and all other lines are the readers': they stay, and stop
nothing. New lines go in as new rows, so what readers have beside a line moves with it. A line that
leaves takes its row along, unless readers have something beside it: then it stays, in grey.

On a worksheet of the newest day alone the label is enough: a task's line goes on to the next day,
with what readers have beside it.

What readers change between our read and our write is not seen. If they sort or insert rows in that
second, a line may get the figures of another one, until the next run of these days.
"""

import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.cells import (
    Found,
    Odd,
    cell_of,
    date_of,
    is_same,
)
from grader_pipeline.sheet.header import find_header
from grader_pipeline.sheet.matching import figures, find_lines, lines_by_key
from grader_pipeline.sheet.places import places_of_new_lines
from grader_pipeline.sheet.table import Line, Table


@dataclass(frozen=True)
class Written:
    """What was written.

    ``where`` is the sheet's address or the workbook's path. ``lines`` counts the lines of the
    tables that the sheet now shows. ``cells`` counts the cells written. ``written`` is whether
    anything changed. ``readers`` has, by the title of its worksheet, each table with a column of
    the readers: its lines with what readers have written there.
    """

    where: str
    lines: int
    cells: int
    written: bool
    readers: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Update:
    """The rows to write. All rows are those of the worksheet as it was read."""

    header: int
    """The row of the header."""
    heading: Line | None
    """The labels, if the header has to be written. Also those of the readers' columns."""
    changed: Mapping[int, Line]
    """The rows in which a cell of the pipeline differs, with what they shall have."""
    inserted: Mapping[int, tuple[Line, ...]]
    """New lines, by the row that they go before."""
    leaving: tuple[int, ...]
    """The rows of lines that the table has no more."""
    untrue: frozenset[int]
    """Those of ``leaving`` that have figures which are no longer true. Of the others the day is
    over, and no more."""
    shown: frozenset[int]
    """The rows that have a line of the pipeline or a day, and the header."""
    lines: tuple[Line, ...]
    """The table's lines, with what readers have written in their columns."""
    is_whole: bool = True
    """Whether the worksheet then shows the whole table. Otherwise further writes must follow."""
    greyed: tuple[int, ...] = ()
    lit: tuple[int, ...] = ()
    """Rows that are grey and must not be any more."""
    blanked: tuple[int, ...] = ()
    """Rows whose figures have to be emptied."""

    @property
    def cells(self) -> int:
        """How many cells have to be written."""
        lines = [*self.changed.values(), *(line for new in self.inserted.values() for line in new)]
        return sum(map(len, [*lines, self.heading or (), self.leaving, self.greyed, self.blanked]))

    def moved(self, row: int) -> int:
        """Where a row is after the write."""
        before, new, gone = self._moves
        return row + new[bisect_right(before, row)] - bisect_left(gone, row)

    @cached_property
    def _moves(self) -> tuple[list[int], list[int], list[int]]:
        """The rows before which there are new lines, how many up to each, and the rows that go."""
        before = sorted(self.inserted)
        lines = (len(self.inserted[row]) for row in before)
        return before, list(accumulate(lines, initial=0)), sorted(self.leaving)

    @property
    def end(self) -> int:
        """The row after the last line, after the write."""
        ends = [self.moved(max(self.shown - set(self.leaving))) + 1]
        # A row that is deleted at the place of new ones would be after them.
        ends += [self.moved(before) for before in self.inserted]
        return max(ends)


def decide(
    table: Table,
    found: Sequence[Found],
    where: str,
    *,
    days: Collection[dt.date] | None = None,
    room: float = math.inf,
) -> Update:
    """Compare what our columns have with what they shall have.

    ``days`` are those whose lines were read whole; None: all. Of other rows only the first cell
    counts. If new lines have more cells than ``room``, only those of the newest days are in the
    update. ``where`` names the worksheet in errors.

    Raises PermanentFailure if the worksheet has another header, or if the table is empty and that
    of GOOGLE_SHEETS_WORKSHEET.
    """
    if not table.lines and table.worksheet is None:
        raise PermanentFailure(f"There is nothing to show in {where}: it was left as it is.")
    header = find_header(table.columns, found, where)
    wanted = lines_by_key(table, days)
    rows, leaving = find_lines(table, found, header, wanted, days)
    changed: dict[int, Line] = {}
    top = tuple(column.label for column in table.columns)
    old = found[header] if found else ()
    is_headed = all(is_same(cell_of(old, at), label) for at, label in enumerate(top))
    for key, row in rows.items():
        if not _shows(table, found[row], wanted[key]):
            changed[row] = wanted[key]
    inserted, is_whole = places_of_new_lines(table, found, header, wanted, rows, room)
    stored = {*table.days, *(line[0] for line in table.lines)}
    untrue = (
        row
        for row in leaving
        if not table.by_date or date_of(found[row][0]) in stored
        if any(cell_of(found[row], index) is not None for index in figures(table))
    )
    lines = found if table.by_date else ()
    dated = (row for row, line in enumerate(lines) if line and date_of(line[0]))
    return Update(
        header, None if is_headed else top, changed, inserted, tuple(leaving), frozenset(untrue),
        frozenset({header, *rows.values(), *dated}),
        tuple(_with_readers(table, found, rows.get(key), line) for key, line in wanted.items()),
        is_whole,
    )  # fmt: skip


@dataclass(frozen=True)
class Looked:
    """What a row that changes or leaves has beside our values."""

    has_readers: bool = False
    """Whether readers have something beside the line: a value, a note, a fill."""
    is_grey: bool = False


def settle(update: Update, looked: Mapping[int, Looked]) -> Update:
    """Keep the leaving rows that readers have something beside, in grey. The others go."""
    kept = {row for row in update.leaving if looked[row].has_readers}
    return replace(
        update,
        leaving=tuple(row for row in update.leaving if row not in kept),
        greyed=tuple(row for row in sorted(kept) if not looked[row].is_grey),
        lit=tuple(row for row in update.changed if row in looked and looked[row].is_grey),
        blanked=tuple(sorted(kept & update.untrue)),
    )


def _shows(table: Table, cells: Found, line: Line) -> bool:
    """Whether our cells of a row have the line's values. Those of the readers may differ."""
    return all(
        column.by_readers or is_same(cell_of(cells, index), value)
        for index, (column, value) in enumerate(zip(table.columns, line, strict=True))
    )


def _with_readers(table: Table, found: Sequence[Found], row: int | None, line: Line) -> Line:
    """A line with what the readers have written in their columns of it."""
    if row is None or not any(column.by_readers for column in table.columns):
        return line
    cells = (cell_of(found[row], index) for index in range(len(line)))
    return tuple(
        (None if isinstance(cell, Odd) else cell) if column.by_readers else value
        for column, cell, value in zip(table.columns, cells, line, strict=True)
    )

"""Where the new lines of a table go among the rows of its worksheet."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from grader_pipeline.sheet.cells import Found, date_of
from grader_pipeline.sheet.table import Line, Table


def places_of_new_lines(
    table: Table,
    found: Sequence[Found],
    header: int,
    wanted: Mapping[Any, Line],
    rows: Mapping[Any, int],
    room: float,
) -> tuple[dict[int, tuple[Line, ...]], bool]:
    """Give the new lines by the row that they go before, and whether these are all of them.

    ``wanted`` are the table's lines in their order, by key; ``rows`` has the rows of those that are
    there. A new line follows the one before it of its day. A new day goes before the topmost line
    of an older day (newer, if the oldest day is first), also if readers have sorted the lines.
    If the lines have more cells than ``room``, those of the newest days are given, at least one.
    """
    groups = [
        (day, [key for key, _ in lines])
        for day, lines in groupby(
            wanted.items(), lambda item: item[1][0] if table.by_date else None
        )
    ]
    taken, is_whole = _days_with_room(table, groups, rows, room)
    first_rows = _first_rows(table, found, header)
    placed: dict[int, list[Line]] = defaultdict(list)
    for day, keys in groups:
        if day not in taken:
            continue
        there = [rows[key] for key in keys if key in rows]
        before = there[0] if there else first_rows(day)
        for key in keys:
            if key in rows:
                before = rows[key] + 1
            else:
                placed[before].append(wanted[key])
    return {before: tuple(lines) for before, lines in placed.items()}, is_whole


def _days_with_room(
    table: Table,
    groups: Sequence[tuple[Any, list[Any]]],
    rows: Mapping[Any, int],
    room: float,
) -> tuple[set[Any], bool]:
    taken: set[Any] = set()
    has_new = False
    for day, keys in sorted(groups, key=lambda group: group[0] or 0, reverse=True):
        cells = len(table.columns) * sum(key not in rows for key in keys)
        if cells > room and has_new:
            return taken, False
        has_new |= bool(cells)
        room -= cells
        taken.add(day)
    return taken, True


def _first_rows(table: Table, found: Sequence[Found], header: int) -> Any:  # noqa: ANN401
    """Gives the row that a new day goes before."""
    dated = [
        (row, day)
        for row, line in enumerate(found)
        if table.by_date and row > header and line and (day := date_of(line[0]))
    ]
    records: list[tuple[int, dt.date]] = []
    for row, day in dated:
        if not records or (day < records[-1][1] if table.newest_first else day > records[-1][1]):
            records.append((row, day))

    def place(day: dt.date | None) -> int:
        if day is None or not dated:
            return header + 1
        later = (
            row for row, other in records if (other < day if table.newest_first else other > day)
        )
        return next(later, dated[-1][0] + 1)

    return place

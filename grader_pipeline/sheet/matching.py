"""Which rows of a worksheet are which lines of a table."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from grader_pipeline.sheet.cells import (
    Found,
    Key,
    Keys,
    cell_of,
    date_of,
    is_empty,
    labels_of,
    rounded,
)
from grader_pipeline.sheet.table import Line, Table

Numbered = tuple[Key, int]
"""A key, and which of the lines with this key it is."""


def lines_by_key(table: Table, days: Collection[dt.date] | None) -> dict[Numbered, Line]:
    """The table's lines of these days, in their order; None: all days."""
    keys, seen = Keys(table), Counter[Key]()
    wanted = {}
    lines: Sequence[Line] = table.lines
    if table.by_date:
        lines = sorted(lines, key=itemgetter(0), reverse=table.newest_first)
    for line in lines:
        if days is None or line[0] in days:
            key = keys.of(line) or ()
            wanted[key, seen[key]] = line
            seen[key] += 1
    return wanted


def find_lines(
    table: Table,
    found: Sequence[Found],
    header: int,
    wanted: Mapping[Numbered, Line],
    days: Collection[dt.date] | None,
) -> tuple[dict[Numbered, int], list[int]]:
    """The rows of the lines that stay, and of those that leave."""
    keys, seen = Keys(table), Counter[Key]()
    rows: dict[Numbered, int] = {}
    leaving = []
    was_ours = _was_ours(table, keys)
    for row, line in enumerate(found):
        if row == header or is_empty(line):
            continue
        if days is not None and date_of(line[0]) not in days:
            continue
        key = keys.of(line)
        if key is None:
            continue
        number = key, seen[key]
        seen[key] += 1
        if number in wanted:
            rows[number] = row
        elif was_ours(key):
            leaving.append(row)
    return rows, leaving


def _was_ours(table: Table, keys: Keys) -> Callable[[Key], bool]:
    """Whether a line that the table does not have leaves."""
    stored = {*table.days, *(line[0] for line in table.lines)}

    @cache
    def labels() -> set[Key]:
        return labels_of(table) | (table.labels or set())

    def leaves(key: Key) -> bool:
        label = keys.label(key)
        if table.by_date and table.keeps_days and date_of(key[0]) not in stored:
            return False
        if table.labels is None and not table.keeps_days:
            return None not in label
        return label in labels()

    return leaves


def days_to_read(
    table: Table, found: Sequence[Found], days: Collection[dt.date] | None
) -> frozenset[dt.date] | None:
    """Give the days whose lines have to be read whole; None: all.

    They are ``days``, and those whose lines have other figures than the table. The labels in
    ``found`` do not count.
    """
    if days is None or not table.by_date or not table.keeps_days:
        return None
    columns = figures(table)
    there: dict[dt.date, Counter[Any]] = defaultdict(Counter)
    wanted: dict[dt.date, Counter[Any]] = defaultdict(Counter)
    for line in table.lines:
        wanted[line[0]][tuple(rounded(line[at]) for at in columns)] += 1  # type: ignore[index]
    for cells in found:
        if cells and (day := date_of(cells[0])):
            there[day][tuple(rounded(cell_of(cells, at)) for at in columns)] += 1
    known = {*wanted, *(day for day in table.days if day in there)}
    return frozenset({*days, *(day for day in known if there[day] != wanted[day])})


def figures(table: Table) -> list[int]:
    """Our columns that have neither a line's day nor its names."""
    names = {*table.key_columns, *([0] if table.by_date else ())}
    columns = enumerate(table.columns)
    return [at for at, column in columns if not column.by_readers and at not in names]

"""What of a report may leave the database. This is the one place that decides it.

The rule holds for sheet, mail, page, pictures and Dagster's metadata alike:

- Only reports that ask for a worksheet are shown, and of them only the columns that the header
  declares.
- A line is a group of learners: its base counts them. Lines with fewer than five are merged, per
  report, day and parents, into one «прочие». Empty lines among them are merged too: otherwise the
  lines that are missing would be those of one to four. If all of them are empty, none is merged.
- If the merged line has fewer than five, the smallest of the other lines joins it, and the next
  one, until it has five. Where nothing can join, the breakdown of these parents is left out.
  If none of them has a count, and a total of the day says why, they are a line without figures.
- In the merged line sums are added up. Counts are blank unless they are known exactly, other
  figures are blank.
- A figure of fewer than five is blank. So is the count of one to four of another group than the
  base, such as the learners of the week before.
- No text that is shown is a learner's ``user_id``: such a line is merged as if it had too few. In a
  report without groups it is left out.

docs/privacy.md says against whom this protects, and against what it does not.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from grader_pipeline.reports.declarations import group_of
from grader_pipeline.reports.definition import OTHERS, WHOLE_DAY, Report, Row
from grader_pipeline.reports.tables import read_rows
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.small_groups import LEAST_LEARNERS
from grader_pipeline.statements import statement


def may_be_shown(report: Report) -> bool:
    """Whether anything of the report may leave the database."""
    return report.sheet is not None


def read_shown(
    db: Connection, report: Report, *, until: dt.date | None = None, days: int | None
) -> list[Row]:
    """Read what may be shown of a report's days. Days and order are those of :func:`read_rows`.

    A row has ``report_date`` and the declared columns. A merged line follows its siblings. Courses
    and tasks have their ids: ``read_named`` gives their names.
    """
    rows = read_rows(db, report, until=until, days=days)
    names = _names_of(report)
    texts = sorted({text for row in rows for text in _texts(names, row)})
    found = db.execute(statement("reading/known_learners"), {"texts": texts}).fetchall()
    return rows_to_show(report, rows, {row["user_id"] for row in found})


def rows_to_show(report: Report, rows: Sequence[Row], learners: Collection[str]) -> list[Row]:
    """The rows that may be shown. ``learners`` are the user_ids among their texts."""
    if not may_be_shown(report):
        return []
    shown = _shown_by(report)
    if report.base is None:
        return [shown(row) for row in rows if not _names(report, row, learners)]
    places = {id(row): place for place, row in enumerate(rows)}
    found: list[tuple[float, Row]] = []
    for siblings in _siblings(report, rows):
        merged = _to_merge(report, siblings, learners)
        if merged and _parent_names(report, merged, learners):
            continue
        if merged and not _has_enough(report, merged):
            if without_count := _why_uncounted(report, siblings):
                found.append((places[id(siblings[-1])], without_count))
            continue
        of_merged = {id(row) for row in merged}
        found += [(places[id(row)], shown(row)) for row in siblings if id(row) not in of_merged]
        if merged:
            found.append((places[id(siblings[-1])] + 0.5, _merged(report, merged)))
    return [row for _, row in sorted(found, key=lambda placed: placed[0])]


def columns_to_show(report: Report) -> dict[str, str]:
    """The columns that are shown, with their headings, in the header's order."""
    return {name: column.text for name, column in report.columns.items()}


def _siblings(report: Report, rows: Iterable[Row]) -> Iterable[list[Row]]:
    """The lines of one day and the same parents, together."""
    parents = report.columns[str(report.breakdown)].parents
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["report_date"], *(str(row.get(name)) for name in parents)].append(row)
    return found.values()


def _to_merge(report: Report, siblings: Sequence[Row], learners: Collection[str]) -> list[Row]:
    """The lines with too few learners, and those that have to join them."""
    base = str(report.base)
    named = {id(row) for row in siblings if _names(report, row, learners)}
    small = [row for row in siblings if id(row) in named or _is_few(row.get(base))]
    if not named and all(_number(row.get(base)) == 0 for row in small):
        return []
    of_small = {id(row) for row in small}
    others = sorted(
        (row for row in siblings if id(row) not in of_small),
        key=lambda row: (_number(row.get(base)), str(row.get(str(report.breakdown)))),
    )
    while others and not _has_enough(report, small):
        small.append(others.pop(0))
    return small


def _has_enough(report: Report, lines: Sequence[Row]) -> bool:
    at_least, _ = _together(report, str(report.base), lines)
    return at_least >= LEAST_LEARNERS


def _together(report: Report, count: str, lines: Sequence[Row]) -> tuple[Decimal, int | None]:
    """How many learners lines have together: at least, and exactly, or None if it is not known."""
    listed_in = report.columns[count].listed_in
    numbers = [_number(line.get(count)) for line in lines]
    lists = [
        () if number == 0 else line.get(listed_in) if listed_in else None
        for number, line in zip(numbers, lines, strict=True)
    ]
    known = len(set[int]().union(*(each for each in lists if each is not None)))
    largest = max((number for number in numbers if number is not None), default=Decimal(0))
    return max(largest, Decimal(known)), None if None in lists else known


def _merged(report: Report, lines: Sequence[Row]) -> Row:
    """Several lines as one."""
    found: Row = {"report_date": lines[0]["report_date"]}
    parents = report.columns[str(report.breakdown)].parents
    for name, column in report.columns.items():
        cells = [line.get(name) for line in lines]
        if column.kind == "learners":
            found[name] = _together(report, name, lines)[1]
        elif column.kind == "sum" and column.of != WHOLE_DAY:
            found[name] = _sum(cells)
        else:
            keeps = name in parents or column.of == WHOLE_DAY
            found[name] = cells[0] if keeps and all(cell == cells[0] for cell in cells) else None
    found[str(report.breakdown)] = OTHERS
    return _shown_by(report)(found)


def _why_uncounted(report: Report, lines: Sequence[Row]) -> Row | None:
    """Lines none of which has a count, as one without figures, if a total of the day says why."""
    totals = {name for name, column in report.columns.items() if column.of == WHOLE_DAY}
    kept = {"report_date", *totals, *report.columns[str(report.breakdown)].parents}
    line = _merged(report, [{n: row[n] for n in row.keys() & kept} for row in lines])
    says_why = any(line[name] is not None for name in totals)
    return line if says_why and all(row.get(str(report.base)) is None for row in lines) else None


def _shown_by(report: Report) -> Callable[[Row], Row]:
    """What makes a line of the report one that may be shown.

    It has the declared columns, blank where they are about too few. A line has many columns and
    few counts: each count is looked at once.
    """
    columns = [(name, _what_blanks(report, name)) for name in _names_of(report)]
    counts = {count for _, blanks in columns for count in blanks}

    def shown(row: Row) -> Row:
        few = {(count, is_few) for count, is_few in counts if is_few(row.get(count))}
        cells = {
            name: row.get(name) if blanks.isdisjoint(few) else None for name, blanks in columns
        }
        return {"report_date": row["report_date"], **cells}

    return shown


def _what_blanks(report: Report, name: str) -> frozenset[tuple[str, Callable[[object], bool]]]:
    """The counts of learners that blank a column, each with what says that it is too few."""
    column = report.columns.get(name)
    if column is None or column.kind in {"dimension", "sum"} or column.of == WHOLE_DAY:
        return frozenset()
    if column.kind == "learners":
        group = str(group_of(report, name))
        return frozenset({(group, _is_one_to_four)} if group != report.base else ())
    of = str(column.of)
    return _what_blanks(report, of) | {(of, _is_few)}


def _names_of(report: Report) -> list[str]:
    """The columns that a shown row has: programs find metrics by their names, and read units."""
    names = list(report.columns)
    if report.base:
        return names
    plot, units = report.plot, report.units
    return [*names, *((plot.by,) if plot else ()), *((units.unit, units.text) if units else ())]


def _names(report: Report, row: Row, learners: Collection[str]) -> bool:
    return bool(learners) and any(text in learners for text in _texts(_names_of(report), row))


def _parent_names(report: Report, lines: Sequence[Row], learners: Collection[str]) -> bool:
    """Whether a parent is a learner, so that merging hides nothing."""
    parents = report.columns[str(report.breakdown)].parents
    return any(text in learners for name in parents for text in _texts_of(lines[0].get(name)))


def _texts(names: Iterable[str], row: Row) -> Iterator[str]:
    """The texts among the cells of a line with these names."""
    for name in names:
        cell = row.get(name)
        if cell is not None and not isinstance(cell, int | float | Decimal):
            yield from _texts_of(cell)


def _texts_of(cell: object) -> Iterator[str]:
    if isinstance(cell, str):
        yield cell
    elif isinstance(cell, dict):
        yield from (text for pair in cell.items() for part in pair for text in _texts_of(part))
    elif isinstance(cell, Collection):
        yield from (text for part in cell for text in _texts_of(part))


def _is_few(count: object) -> bool:
    number = _number(count)
    return number is None or number < LEAST_LEARNERS


def _is_one_to_four(count: object) -> bool:
    return _number(count) != 0 and _is_few(count)


def _number(cell: object) -> Decimal | None:
    """A count, whatever type the query gave it; None if it is unknown or no number."""
    if type(cell) is int:
        return Decimal(cell)
    try:
        number = Decimal(str(cell))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _sum(cells: Sequence[object]) -> int | Decimal | None:
    numbers = [_number(cell) for cell in cells]
    if None in numbers:
        return None
    total = sum(number for number in numbers if number is not None)
    return int(total) if total == int(total) else total

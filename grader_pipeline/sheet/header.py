"""Where a worksheet has our header, which readers may have put a title above."""

from collections.abc import Sequence
from itertools import takewhile

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.cells import Cell, Found, Odd, cell_of, is_empty
from grader_pipeline.sheet.table import Column

_LEAST_COLUMNS = 3
"""A worksheet of which so many columns have our header is ours."""


def find_header(columns: Sequence[Column], found: Sequence[Found], where: str) -> int:
    """Find the row of our header, now or formerly; 0 if our columns are empty.

    A former header may have fewer columns, if nothing is where the new ones go. ``where`` names the
    worksheet in errors. Raises PermanentFailure if there is another header.
    """
    if all(is_empty(line) for line in found):
        return 0
    rows = [row for row, line in enumerate(found) if may_be_header(columns, cell_of(line, 0))]
    if not rows:
        first = next(line for line in found if not is_empty(line))
        raise PermanentFailure(_other_header(columns, first, where))
    header = max(rows, key=lambda row: (_known(columns, found[row]), -row))
    width = _known(columns, found[header])
    others = (line[width:] for line in found[header:])
    if width == len(columns) or all(is_empty(line) for line in others):
        return header
    if width < _LEAST_COLUMNS:
        raise PermanentFailure(_other_header(columns, found[header], where))
    new = " | ".join(column.label for column in columns[width:])
    raise PermanentFailure(
        f"Wrong header: {where} has something where the columns «{new}» go. It was left alone. "
        f"Move it to columns right of our {len(columns)}, and run the day again."
    )


def has_whole_header(columns: Sequence[Column], found: Sequence[Found]) -> bool:
    """Whether one of the lines has all our labels, now or formerly."""
    return any(_known(columns, line) == len(columns) for line in found)


def may_be_header(columns: Sequence[Column], cell: Cell) -> bool:
    """Whether a cell of the first column may begin our header."""
    return _text(cell) in {columns[0].label, *columns[0].former_labels}


def _known(columns: Sequence[Column], line: Found) -> int:
    """How many cells from the left have our labels, now or formerly."""
    known = (
        _text(cell_of(line, index)) in {column.label, *column.former_labels}
        for index, column in enumerate(columns)
    )
    return sum(1 for _ in takewhile(bool, known))


def _other_header(columns: Sequence[Column], first: Found, where: str) -> str:
    wanted = " | ".join(column.label for column in columns)
    there = " | ".join(_text(cell_of(first, index)) for index in range(len(columns)))
    return (
        f"Wrong header: {where} begins with «{there}» instead of «{wanted}». It was left alone. "
        "Rename that worksheet, or give it our header, and run the day again."
    )


def _text(cell: Cell) -> str:
    return "" if cell is None or isinstance(cell, Odd) else str(cell).strip()

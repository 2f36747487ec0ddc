"""What a row has beside our values: what readers have put there, and whether it is grey."""

from collections.abc import Mapping, Sequence
from typing import Any

from grader_pipeline.sheet.google.batch_update import GREY
from grader_pipeline.sheet.table import Table
from grader_pipeline.sheet.update import Looked

_WHITE = {"red": 1, "green": 1, "blue": 1}


def looked_at(table: Table, cells: Sequence[dict[str, Any]], usual: Sequence[object]) -> Looked:
    """Look at the cells of a row. ``usual`` are the fills of whole columns, which mark no line."""
    texts = [cell.get("userEnteredFormat", {}).get("textFormat", {}) for cell in cells[:1]]
    return Looked(
        has_readers=any(
            cell.get("note")
            or (
                cell.get("userEnteredValue")
                and (at >= len(table.columns) or table.columns[at].by_readers)
            )
            or fill_of(cell) not in (None, usual[at] if at < len(usual) else None)
            for at, cell in enumerate(cells)
        ),
        is_grey=any(_rounded(text.get("foregroundColor")) == _rounded(GREY) for text in texts),
    )


def fill_of(cell: Mapping[str, Any]) -> object:
    """The colour of a cell's ground. None: white, or none."""
    fill = _rounded(cell.get("userEnteredFormat", {}).get("backgroundColor"))
    return None if fill == _rounded(_WHITE) else fill


def _rounded(color: Mapping[str, float] | None) -> object:
    return None if color is None else [round(color.get(part, 0), 2) for part in _WHITE]

"""Writes plain cells of the workbook as text.

openpyxl makes an XML element for each cell and writes that, which is two thirds of the time that it
takes to write a workbook. Numbers, days, times and plain texts are almost all of the cells. The
others, such as formulas, links and rich texts, are written by openpyxl as before.
"""

import datetime as dt
from functools import lru_cache
from math import isfinite
from typing import Any
from xml.sax.saxutils import escape

from openpyxl.cell import _writer as cell_writer
from openpyxl.cell.cell import Cell
from openpyxl.compat import safe_string
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet import _writer as worksheet_writer
from openpyxl.worksheet.worksheet import Worksheet

_openpyxls = cell_writer.write_cell
_in_days = lru_cache(maxsize=4096)(to_excel)
_LONG = 10**15


def write_plain_cells_as_text() -> None:
    """Have openpyxl write plain cells in this way, in this process."""
    worksheet_writer.write_cell = _write_cell


def _write_cell(xf: Any, worksheet: Worksheet, cell: Cell, styled: bool | None = None) -> None:  # noqa: ANN401 (openpyxl's own signature)
    book = worksheet.parent
    is_odd = cell._hyperlink or book.iso_dates
    text = None if is_odd else _text(cell._value, cell.data_type, book.epoch)
    if text is None:
        _openpyxls(xf, worksheet, cell, styled)
        return
    style = f' s="{book._cell_styles.add(cell._style)}"' if styled else ""
    xf._file(f'<c r="{get_column_letter(cell.column)}{cell.row}"{style} {text}</c>')


def _text(value: object, kind: str, epoch: dt.datetime) -> str | None:
    """What is between the place of a cell and its end. None: openpyxl knows."""
    # openpyxl gives longer ones an exponent.
    if kind == "n" and value.__class__ is int and -_LONG < value < _LONG:
        return f't="n"><v>{value}</v>'
    match kind, value:
        case "n", int() | float() if isfinite(value):
            return f't="n"><v>{safe_string(value)}</v>'
        case "d", dt.date() | dt.time() if getattr(value, "tzinfo", None) is None:
            return f't="n"><v>{safe_string(_in_days(value, epoch))}</v>'
        case "s", str() if value and value == value.strip():
            return f't="inlineStr"><is><t>{escape(value)}</t></is>'
    return None

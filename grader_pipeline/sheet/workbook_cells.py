"""Reads and writes plain cells of the workbook without openpyxl's XML elements.

Numbers, days, times and plain texts are almost all of the cells. openpyxl makes an XML element for
each that it writes, and looks at each that it reads in all the ways that it knows: half of what a
write of the workbook takes. Other cells, such as formulas, links and rich texts, are read by
openpyxl as before. A row that has one is written by openpyxl.
"""

import datetime as dt
from functools import lru_cache
from math import isfinite
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from openpyxl.cell.cell import Cell
from openpyxl.compat import safe_string
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.utils.datetime import from_excel, to_excel
from openpyxl.worksheet import _reader as reader
from openpyxl.worksheet._reader import INLINE_STRING, VALUE_TAG, WorkSheetParser
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer import excel as writer
from openpyxl.xml.constants import SHEET_MAIN_NS

_TEXT = f"{{{SHEET_MAIN_NS}}}t"
_in_days = lru_cache(maxsize=4096)(to_excel)
_of_days = lru_cache(maxsize=4096)(from_excel)
_LONG = 10**15


def handle_plain_cells() -> None:
    """Have openpyxl read and write plain cells in this way, in this process."""
    reader.WorkSheetParser = Parser
    writer.WorksheetWriter = Writer


class Parser(WorkSheetParser):  # type: ignore[misc] # openpyxl has no types
    """Reads the cells of a worksheet."""

    def parse_cell(self, element: Element) -> dict[str, Any]:
        """What openpyxl says of a cell."""
        place, style = element.get("r"), int(element.get("s", 0))
        plain = self._plain(element, style) if place and len(element) == 1 else None
        if plain is None or place is None:
            found: dict[str, Any] = super().parse_cell(element)
            return found
        kind, value = plain
        row, column = coordinate_to_tuple(place)
        self.col_counter = column
        return {
            "row": row, "column": column, "value": value, "data_type": kind, "style_id": style,
        }  # fmt: skip

    def _plain(self, element: Element, style: int) -> tuple[str, object] | None:
        """Type and value of a plain cell."""
        child, kind = element[0], element.get("t", "n")
        if kind == "n" and child.tag == VALUE_TAG and child.text:
            number = reader._cast_number(child.text)
            if style not in self.date_formats:
                return "n", number
            try:
                return "d", _of_days(number, self.epoch, style in self.timedelta_formats)
            except (OverflowError, ValueError):
                return None
        is_text = kind == "inlineStr" and child.tag == INLINE_STRING and self.rich_text
        if is_text and len(child) == 1 and child[0].tag == _TEXT:
            return "s", (child[0].text or "").replace("x005F_", "")
        return None


class Writer(WorksheetWriter):  # type: ignore[misc]
    """Writes the cells of a worksheet."""

    def write_rows(self) -> None:
        """Write all rows."""
        self._book = self.ws.parent
        self._epoch = self._book.epoch
        self._styles: dict[bytes, str] = {}
        super().write_rows()

    def write_row(self, xf: Any, row: list[Cell], row_idx: int) -> None:  # noqa: ANN401 (openpyxl's own signature)
        """Write a row as text, if all of its cells are plain."""
        texts = []
        for cell in row:
            text = self._cell(cell)
            if text is None or self._book.iso_dates:
                super().write_row(xf, row, row_idx)
                return
            texts.append(text)
        about = {"r": row_idx, **dict(self.ws.row_dimensions.get(row_idx, ()))}
        attributes = "".join(f' {name}="{value}"' for name, value in about.items())
        xf._file(f"<row{attributes}>{''.join(texts)}</row>")

    def _cell(self, cell: Cell) -> str | None:
        """A cell as text: "" if it is not written. None: openpyxl knows."""
        if cell.__class__ is not Cell or cell._hyperlink or cell._comment:
            return None
        style, value = cell._style, cell._value
        key = style.tobytes() if style else b""
        if (styled := self._styles.get(key)) is None:
            styled = f' s="{self._book._cell_styles.add(style)}"' if cell.has_style else ""
            self._styles[key] = styled
        if value is None and not styled:
            return ""
        text = _text(value, cell.data_type, self._epoch)
        return text and f'<c r="{get_column_letter(cell.column)}{cell.row}"{styled} {text}'


def _text(value: object, kind: str, epoch: dt.datetime) -> str | None:
    """What is between the style of a cell and its end. None: openpyxl knows."""
    # openpyxl gives longer ones an exponent.
    if kind == "n" and value.__class__ is int and -_LONG < value < _LONG:
        return f't="n"><v>{value}</v></c>'
    match kind, value:
        case "n", None:
            return 't="n" />'
        case "n", int() | float() if isfinite(value):
            return f't="n"><v>{safe_string(value)}</v></c>'
        case "d", dt.date() | dt.time() if getattr(value, "tzinfo", None) is None:
            return f't="n"><v>{safe_string(_in_days(value, epoch))}</v></c>'
        case "s", str() if value and value == value.strip():
            return f't="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return None

"""Cells that are written as text are those that openpyxl writes, byte for byte."""

import datetime as dt
import io
from collections.abc import Iterator
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell import _writer as cell_writer
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet import _writer as worksheet_writer
from openpyxl.worksheet.formula import ArrayFormula

from grader_pipeline.sheet import workbook_cells
from grader_pipeline.sheet.workbook_cells import write_plain_cells_as_text

VALUES = [
    0, -1, 10**15, 10**17, 0.1, 1 / 3, 1e-9, 1e300, float("nan"), float("inf"), True, None, "",
    dt.date(1900, 1, 1), dt.date(1900, 3, 1), dt.date(2023, 5, 31), dt.time(3, 10),
    dt.datetime(2023, 5, 31, 9, 16, 11, 313646), dt.timedelta(hours=30),
    "text", "<a> & \"b\" 'c'", "ё\N{NO-BREAK SPACE}ё 🎓", " before", "after\n", "in\nit", "\t",
    "=1+1", "=not a formula", "#N/A", "00123", ArrayFormula("A1:A2", "=B1:B2"),
    CellRichText("plain ", TextBlock(InlineFont(b=True), "bold")),
]  # fmt: skip


@pytest.fixture
def _openpyxls_own_afterwards() -> Iterator[None]:
    before = worksheet_writer.write_cell
    yield
    worksheet_writer.write_cell = before


def book(*, is_mac: bool = False, iso_dates: bool = False) -> Workbook:
    made = Workbook(iso_dates=iso_dates)
    if is_mac:
        made.epoch = CALENDAR_MAC_1904
    for row, value in enumerate(VALUES, start=1):
        for column in (1, 2):
            made.active.cell(row, column).value = value
        made.active.cell(row, 2).font = Font(bold=True)
    made.active["A29"].data_type = "s"
    made.active["A1"].comment = Comment("note", "reader")
    made.active["A2"].hyperlink = "https://example.org"
    return made


def written(made: Workbook) -> dict[str, bytes]:
    made.save(content := io.BytesIO())
    with ZipFile(content) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "core" not in name}


@pytest.mark.usefixtures("_openpyxls_own_afterwards")
@pytest.mark.parametrize("kind", [{}, {"is_mac": True}, {"iso_dates": True}])
def test_cells_written_as_text_are_those_that_openpyxl_writes(
    kind: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    worksheet_writer.write_cell = cell_writer.write_cell
    wanted = written(book(**kind))
    others: list[object] = []

    def counted(xf: object, worksheet: object, cell: object, styled: bool) -> None:
        others.append(cell)
        cell_writer.write_cell(xf, worksheet, cell, styled)

    monkeypatch.setattr(workbook_cells, "_openpyxls", counted)
    write_plain_cells_as_text()
    assert written(book(**kind)) == wanted
    assert (0 < len(others) < len(VALUES)) is ("iso_dates" not in kind)


@pytest.mark.usefixtures("_openpyxls_own_afterwards")
def test_a_time_with_a_zone_is_refused_as_before() -> None:
    made = Workbook()
    write_plain_cells_as_text()
    made.active["A1"]._value = dt.datetime(2023, 5, 31, tzinfo=dt.UTC)
    made.active["A1"].data_type = "d"
    with pytest.raises(TypeError, match="timezones"):
        written(made)


@pytest.mark.usefixtures("_openpyxls_own_afterwards")
def test_what_is_written_as_text_is_read_again() -> None:
    write_plain_cells_as_text()
    made = Workbook()
    texts = ["<a> & b", "ё\N{NO-BREAK SPACE}ё", "]]>", "&amp;", "00123", "=1+1"]
    for row, text in enumerate(texts, start=1):
        made.active.cell(row, 1).value = text
        made.active.cell(row, 1).data_type = "s"
    made.save(content := io.BytesIO())
    sheet = load_workbook(content).active
    assert [cell.value for (cell,) in sheet.iter_rows(max_col=1)] == texts

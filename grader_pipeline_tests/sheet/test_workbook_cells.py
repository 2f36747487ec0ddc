"""Plain cells are written and read as openpyxl does it: byte for byte, value for value."""

import datetime as dt
import io
from collections.abc import Iterator
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet import _reader as reader
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.writer import excel as writer

from grader_pipeline.sheet.workbook_cells import handle_plain_cells

VALUES = [
    0, -1, 10**15, 10**17, 0.1, 1 / 3, 1e-9, 1e300, float("nan"), float("inf"), True, None, "",
    dt.date(1900, 1, 1), dt.date(1900, 3, 1), dt.date(2023, 5, 31), dt.time(3, 10),
    dt.datetime(2023, 5, 31, 9, 16, 11, 313646), dt.timedelta(hours=30),
    "text", "<a> & \"b\" 'c'", "ё\N{NO-BREAK SPACE}ё 🎓", " before", "after\n", "in\nit", "\t",
    "=1+1", "=not a formula", "#N/A", "00123", ArrayFormula("A1:A2", "=B1:B2"),
    CellRichText("plain ", TextBlock(InlineFont(b=True), "bold")),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _openpyxls_own() -> Iterator[None]:
    ours = reader.WorkSheetParser, writer.WorksheetWriter
    reader.WorkSheetParser, writer.WorksheetWriter = WorkSheetParser, WorksheetWriter
    yield
    reader.WorkSheetParser, writer.WorksheetWriter = ours


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


def calls(monkeypatch: pytest.MonkeyPatch, of: type, name: str) -> list[object]:
    """What openpyxl does itself from now on."""
    found: list[object] = []
    function = getattr(of, name)

    def counted(*given: object) -> object:
        found.append(given)
        return function(*given)

    monkeypatch.setattr(of, name, counted)
    return found


def read(content: io.BytesIO, *, rich_text: bool = True) -> dict[str, tuple[object, ...]]:
    sheet = load_workbook(content, rich_text=rich_text).active
    found = {}
    for cell in (cell for line in sheet.iter_rows() for cell in line):
        if cell.value is not None or cell.has_style:
            value = repr(getattr(cell.value, "text", cell.value))
            found[cell.coordinate] = type(cell.value), value, cell.data_type, cell.number_format
    return found


def written(made: Workbook) -> dict[str, bytes]:
    made.save(content := io.BytesIO())
    with ZipFile(content) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "core" not in name}


@pytest.mark.parametrize("kind", [{}, {"is_mac": True}, {"iso_dates": True}])
def test_cells_written_as_text_are_those_that_openpyxl_writes(
    kind: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = written(book(**kind))
    others = calls(monkeypatch, WorksheetWriter, "write_row")
    handle_plain_cells()
    assert written(book(**kind)) == wanted
    assert (0 < len(others) < len(VALUES)) is ("iso_dates" not in kind)


@pytest.mark.parametrize("kind", [{}, {"is_mac": True}, {"iso_dates": True}])
@pytest.mark.parametrize("rich_text", [True, False])
def test_cells_read_as_plain_are_those_that_openpyxl_reads(
    kind: dict[str, bool], rich_text: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(**kind).save(content := io.BytesIO())
    wanted = read(content, rich_text=rich_text)
    assert len(wanted) > len(VALUES)
    others = calls(monkeypatch, WorkSheetParser, "parse_cell")
    handle_plain_cells()
    assert read(content, rich_text=rich_text) == wanted
    assert 0 < len(others) < 2 * len(VALUES)


def test_cells_of_other_programs_are_read_as_before() -> None:
    """Without places, with shared texts, with days that no calendar has, with empty elements."""
    rows = (
        '<row r="2"><c t="inlineStr"><is><t>a</t></is></c><c><v>1</v></c></row>'
        '<row><c r="B3" s="1"><v>45077.5</v></c><c><v>1e3</v></c>'
        '<c r="F3" s="1"><v>1E9</v></c></row>'
        '<row><c t="n"><v></v></c><c t="inlineStr"><is/></c><c t="inlineStr"><is><t/></is></c>'
        '<c t="inlineStr"><is><t>a</t><phoneticPr fontId="1"/></is></c><c t="b"><v>1</v></c>'
        '<c t="str"><v>x_x005F_y</v></c><c t="inlineStr"><is><t>x_x005F_y</t></is></c></row>'
    )
    made = Workbook()
    made.active["A1"].number_format = "dd.mm.yyyy"
    made.active["A1"] = 1
    made.save(content := io.BytesIO())
    other = io.BytesIO()
    with ZipFile(content) as archive, ZipFile(other, "w") as target:
        for name in archive.namelist():
            body = archive.read(name)
            if name.endswith("sheet1.xml"):
                body = body.replace(b"</sheetData>", rows.encode() + b"</sheetData>")
            target.writestr(name, body)
    with pytest.warns(UserWarning, match="outside the limits"):
        wanted = read(other)
    assert len(wanted) == 12
    handle_plain_cells()
    with pytest.warns(UserWarning, match="outside the limits"):
        assert read(other) == wanted


def test_a_time_with_a_zone_is_refused_as_before() -> None:
    made = Workbook()
    handle_plain_cells()
    made.active["A1"]._value = dt.datetime(2023, 5, 31, tzinfo=dt.UTC)
    made.active["A1"].data_type = "d"
    with pytest.raises(TypeError, match="timezones"):
        written(made)


def test_what_is_written_as_text_is_read_again() -> None:
    handle_plain_cells()
    made = Workbook()
    texts = ["<a> & b", "ё\N{NO-BREAK SPACE}ё", "]]>", "&amp;", "00123", "=1+1"]
    for row, text in enumerate(texts, start=1):
        made.active.cell(row, 1).value = text
        made.active.cell(row, 1).data_type = "s"
    made.save(content := io.BytesIO())
    sheet = load_workbook(content).active
    assert [cell.value for (cell,) in sheet.iter_rows(max_col=1)] == texts

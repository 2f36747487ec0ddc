"""The local workbook: edited in place, and untouched where nothing differs."""

import datetime as dt
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import LineChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import DAILY_COLUMNS, DATE, Chart, Column, Table, daily_report
from grader_pipeline_tests.sheet.sheets_given import HEADER, LABELS, metrics
from grader_pipeline_tests.sheet.sheets_given import workbook_lines as lines

DAY = dt.datetime(2023, 5, 31)
ATTEMPTS, SUCCESSES, USERS = LABELS


def test_the_first_write_makes_a_workbook_with_formats_header_and_chart(
    path: Path, sheets: Sheets
) -> None:
    shown = sheets.show(daily_report(metrics("2023-05-30", "2023-05-31")))

    assert (shown.where, shown.lines, shown.written) == (str(path), 8, True)
    assert lines(path)[:4] == [
        HEADER,
        [DAY, ATTEMPTS, 671],
        [DAY, SUCCESSES, 31],
        [DAY, USERS, 12.5],
    ]
    book = load_workbook(path)
    assert book.sheetnames == ["Лист1", "Динамика"]
    sheet = book["Лист1"]
    assert sheet.freeze_panes == "A2"
    assert sheet["B1"].font.bold
    assert sheet.column_dimensions["B"].width == DAILY_COLUMNS[1].width / 7
    formats = [sheet.cell(row, column).number_format for row, column in ((2, 1), (2, 3), (4, 3))]
    assert formats == ["dd.mm.yyyy", "#,##0", "#,##0.0##"]


def test_the_same_again_leaves_the_file_untouched_to_the_byte(path: Path, sheets: Sheets) -> None:
    tables = daily_report(metrics("2023-05-31"))
    sheets.show(tables)
    bytes_before, seen_before = path.read_bytes(), path.stat()

    shown = sheets.show(tables)

    assert (shown.cells, shown.written) == (0, False)
    assert path.read_bytes() == bytes_before
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (
        seen_before.st_ino,
        seen_before.st_mtime_ns,
    )


def test_a_write_adds_no_style_that_is_there_and_removes_those_of_earlier_releases(
    path: Path, sheets: Sheets
) -> None:
    def styles() -> int:
        with ZipFile(path) as archive:
            return archive.read("xl/styles.xml").count(b"<xf ")

    days = ["2023-05-27", "2023-05-28"]
    for last in (1, 2):
        sheets.show(daily_report(metrics(*days[:last])))
    before = styles()
    for day in ("2023-05-29", "2023-05-30"):
        days.append(day)
        sheets.show(daily_report(metrics(*days)))
        assert styles() == before
    book = load_workbook(path)
    list.extend(book._cell_styles, list(book._cell_styles))
    book.save(path)
    assert styles() > before
    sheets.show(daily_report(metrics(*days, "2023-05-31")))
    assert styles() == before


def test_days_in_any_order_end_the_same_and_the_chart_follows(path: Path, sheets: Sheets) -> None:
    for days in (["2023-05-31"], ["2023-05-29", "2023-05-31"], ["2023-05-29", "2023-05-30"]):
        sheets.show(daily_report(metrics(*days)))

    expected = [[row["report_date"], row["label"], float(row["value"])]
                for row in metrics("2023-05-31", "2023-05-30", "2023-05-29")]  # fmt: skip
    assert [[day.date(), *rest] for day, *rest in lines(path)[1:]] == expected
    (chart,) = load_workbook(path)["Динамика"]._charts
    references = [series.val.numRef.f for series in chart.series]
    assert references == [f"'Динамика'!${column}$2:${column}$4" for column in "BCD"]


def test_what_readers_have_beside_a_line_moves_with_it_and_the_rest_survives(
    path: Path, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    book = load_workbook(path)
    sheet = book["Лист1"]
    sheet["E2"] = "=C2*2"
    sheet["E2"].number_format = "0.00%"
    sheet["E2"].comment = Comment("праздник", "методист")
    sheet["B2"].fill = PatternFill("solid", fgColor="00FF00")
    sheet.row_dimensions[3].height = 40
    sheet["F1"] = "=SUM(C2:C4)"
    sheet.merge_cells("G3:H3")
    sheet.auto_filter.ref = "A1:E4"
    theirs = book.create_sheet("Мой лист")
    theirs.append(["a", 1])
    chart = LineChart()
    chart.add_data(Reference(theirs, min_col=2, min_row=1, max_row=1))
    theirs.add_chart(chart, "D2")
    book.save(path)
    path.chmod(0o664)

    sheets.show(daily_report(metrics("2023-05-30", "2023-05-31")))

    book = load_workbook(path)
    sheet = book["Лист1"]
    assert sheet["E5"].value == "=C5*2"
    assert sheet["E5"].number_format == "0.00%"
    assert sheet["E5"].comment.text == "праздник"
    assert sheet["E2"].value is None
    assert sheet["B5"].fill.fgColor.rgb == "0000FF00"
    assert sheet["B2"].fill.fill_type is None
    assert (sheet.row_dimensions[6].height, sheet.row_dimensions[3].height) == (40, None)
    assert sheet["F1"].value == "=SUM(C5:C7)"
    assert [str(area) for area in sheet.merged_cells.ranges] == ["G6:H6"]
    assert sheet.auto_filter.ref == "A1:E7"
    assert len(sheet._charts) == 0
    assert [[cell.value for cell in row] for row in book["Мой лист"]] == [["a", 1]]
    assert len(book["Мой лист"]._charts) == 1
    assert path.stat().st_mode & 0o777 == 0o664


@pytest.mark.parametrize(
    ("cells", "later"), [("Динамика!$B$2:$B$3", "'Динамика'!$B$2:$B$4"), ("Динамика!$B:$B", None)]
)
def test_a_chart_whose_cells_readers_chose_stays_the_only_one_and_covers_all_lines(
    cells: str, later: str | None, path: Path, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-29", "2023-05-30")))
    book = load_workbook(path)
    for series in book["Динамика"]._charts[0].series:
        series.val.numRef.f = cells
    book.save(path)
    assert not sheets.show(daily_report(metrics("2023-05-29", "2023-05-30"))).written

    sheets.show(daily_report(metrics("2023-05-29", "2023-05-30", "2023-05-31")))

    (chart,) = load_workbook(path)["Динамика"]._charts
    assert {series.val.numRef.f for series in chart.series} == {later or cells}


@pytest.mark.parametrize("sign", "=+-@")
def test_a_text_that_looks_like_a_formula_stays_text(sign: str, path: Path, sheets: Sheets) -> None:
    rows = metrics("2023-05-31")
    rows[0] |= {"label": f"{sign}1+1"}
    tables = daily_report(rows)
    sheets.show(tables)
    cell = load_workbook(path)["Лист1"]["B2"]

    assert (cell.value, cell.data_type, cell.quotePrefix) == (f"{sign}1+1", "s", True)
    assert not sheets.show(tables).written


def weekly(days: str, *, keeps: bool, known: str = "") -> Table:
    """A report's worksheet with a line for each of the days, of which ``known`` are stored too."""
    dates = [dt.date(2023, 5, int(day)) for day in days.split()]
    return Table(
        (DATE, Column("Курс", 100), Column("Юзеров", 100)),
        tuple((day, "A", day.day) for day in dates),
        worksheet="Курсы", chart=Chart("x", "bar", 1, (2,)), keeps_days=keeps,
        labels=frozenset({("A",)}),
        days=frozenset(dt.date(2023, 5, int(day)) for day in known.split()),
    )  # fmt: skip


@pytest.mark.parametrize("keeps", [True, False])
def test_a_day_of_which_nothing_may_be_shown_any_more_leaves_its_worksheet(
    path: Path, sheets: Sheets, keeps: bool
) -> None:
    main = daily_report(metrics("2023-05-31"))
    sheets.show([*main, weekly("31 30", keeps=keeps)])
    sheets.show([*main, weekly("30", keeps=keeps, known="30 31")])
    assert [line[2] for line in lines(path, "Курсы")] == ["Юзеров", 30]
    sheets.show([*main, weekly("", keeps=keeps, known="30 31")])
    assert lines(path, "Курсы")[0][1:] == ["Курс", "Юзеров"]
    assert not any(cell for line in lines(path, "Курсы")[1:] for cell in line)
    written = path.read_bytes()
    assert not sheets.show([*main, weekly("", keeps=keeps, known="30 31")]).written
    assert path.read_bytes() == written
    sheets.show([*main, weekly("31", keeps=keeps)])
    assert [line[2] for line in lines(path, "Курсы")][:2] == ["Юзеров", 31]


def test_a_table_without_lines_makes_no_worksheet(path: Path, sheets: Sheets) -> None:
    sheets.show([*daily_report(metrics("2023-05-31")), weekly("", keeps=True, known="31")])
    assert load_workbook(path).sheetnames == ["Лист1", "Динамика"]


def headed_otherwise(path: Path) -> None:
    book = Workbook()
    book.active.title = "Лист1"
    book.active.append(["Курс", "Юзеры"])
    book.save(path)


def protected(path: Path) -> None:
    book = Workbook()
    book.active.title = "Лист1"
    book.active.protection.enable()
    book.save(path)


def read_only(path: Path) -> None:
    Workbook().save(path)
    path.chmod(0o444)


TROUBLES = {
    "Wrong header": headed_otherwise,
    "Protected": protected,
    "damaged, or under a password": lambda path: path.write_bytes(b"PK\x03\x04 half a zip"),
    "no workbook that can be read": lambda path: path.write_bytes(b""),
    "marked read-only": read_only,
    "cannot be opened": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("says", TROUBLES)
def test_a_workbook_that_is_not_ours_to_edit_is_left_alone(
    says: str, path: Path, sheets: Sheets
) -> None:
    TROUBLES[says](path)
    before = path.is_file() and path.read_bytes()

    with pytest.raises(PermanentFailure, match=says) as caught:
        sheets.show(daily_report(metrics("2023-05-31")))

    assert "run the day again" in (caught.value.description or "")
    assert (path.is_file() and path.read_bytes()) == before
    if says != "Protected":
        with pytest.raises(PermanentFailure, match=says):
            sheets.probe()


def test_a_workbook_behind_a_link_is_written_where_it_is(
    path: Path, sheets: Sheets, tmp_path_factory: pytest.TempPathFactory
) -> None:
    real = tmp_path_factory.mktemp("share") / "report.xlsx"
    path.symlink_to(real)
    sheets.show(daily_report(metrics("2023-05-31")))
    assert path.is_symlink()
    assert len(lines(real)) == 4


def test_doctor_says_where_the_report_goes(path: Path, sheets: Sheets) -> None:
    assert str(path) in sheets.probe()
    assert not path.exists()
    sheets.show(daily_report(metrics("2023-05-31")))
    assert str(path) in sheets.probe()


def test_a_worksheet_is_found_in_other_capitals_and_a_name_may_hold_a_slash(
    path: Path, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    monkeypatch.setenv("GOOGLE_SHEETS_WORKSHEET", "лист1")
    sheets.show(daily_report(metrics("2023-05-30", "2023-05-31")))
    assert len(lines(path)) == 7
    assert "лист1" not in load_workbook(path).sheetnames
    monkeypatch.setenv("GOOGLE_SHEETS_NAME", "Отчёт 05/06")
    monkeypatch.setenv("GOOGLE_SHEETS_WORKSHEET", "05/06")
    for _ in range(2):
        sheets.show(daily_report(metrics("2023-05-30")))
    (slashed,) = path.parent.glob("Отчёт*.xlsx")
    assert "05-06" in load_workbook(slashed).sheetnames
    assert len(load_workbook(slashed).sheetnames) == 2

"""What a write changes in the Google Sheet, and which requests it sends."""

import datetime as dt
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import (
    DAILY_COLUMNS,
    DATE,
    Chart,
    Column,
    Highlight,
    Table,
    daily_report,
)
from grader_pipeline_tests.sheet.sheets_given import BOOK, HEADER, LABELS, metrics, with_labels
from grader_pipeline_tests.sheet.sheets_server import Google
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet, values

DAY = 45077  # 2023-05-31, in days since 1899-12-30
ATTEMPTS, SUCCESSES, USERS = LABELS


def test_the_first_write_shows_typed_values_under_a_frozen_header(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    shown = sheets.show(daily_report(metrics("2023-05-31", "2023-05-30")))

    assert book.values("Лист1") == [
        HEADER,
        [DAY, ATTEMPTS, 671],
        [DAY, SUCCESSES, 31],
        [DAY, USERS, 12.5],
        [DAY - 1, ATTEMPTS, 670],
        [DAY - 1, SUCCESSES, 30],
        [DAY - 1, USERS, 12.5],
    ]
    sheet = book.sheet("Лист1")
    assert sheet["properties"]["gridProperties"]["frozenRowCount"] == 1
    assert sheet["widths"] == {at: column.width for at, column in enumerate(DAILY_COLUMNS)}
    assert sheet["cells"][0, 1]["userEnteredFormat"]["textFormat"] == {"bold": True}
    formats = [sheet["cells"][3, c].get("userEnteredFormat") for c in range(3)]
    assert formats == [
        {"numberFormat": {"type": "DATE", "pattern": "dd.mm.yyyy"}},
        None,
        {"numberFormat": {"type": "NUMBER", "pattern": "#,##0.0##"}},
    ]
    assert shown.where == f"https://docs.google.com/spreadsheets/d/{BOOK}#gid=0"
    assert (shown.lines, shown.cells, shown.written) == (8, 7 * 3 + 3 * 4, True)
    assert google.count("batchUpdate") == 1


def test_writing_the_same_again_reads_twice_and_writes_nothing(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    tables = daily_report(metrics("2023-05-31", "2023-05-30"))
    sheets.show(tables)
    google.asked.clear()

    shown = sheets.show(tables)

    assert [kind for kind, _ in google.asked] == ["token", "get", "get"]
    assert (shown.lines, shown.cells, shown.written) == (8, 0, False)
    assert len(book.history) == 2


def test_a_corrected_day_writes_its_own_lines_only(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    days = metrics("2023-05-31", "2023-05-30", "2023-05-29")
    sheets.show(daily_report(days))
    google.asked.clear()

    corrected = metrics("2023-05-30", first=5)
    shown = sheets.show(daily_report([*days[:3], *corrected, *days[6:]]))

    assert shown.cells == 3 + 4, "one line changed in each of two worksheets"
    assert [kind for kind, _ in google.asked] == ["token", *["get"] * 3, "batchUpdate"]
    assert book.values("Лист1")[4] == [DAY - 1, ATTEMPTS, 5]


def test_a_metric_that_is_gone_leaves_no_line_behind(book: Spreadsheet, sheets: Sheets) -> None:
    day = metrics("2023-05-31")
    gone = {"report_date": day[0]["report_date"], "metric": "x", "label": "X", "value": 1}
    before = daily_report([*day, gone])
    sheets.show(before)
    assert len(book.values("Лист1")) == 5

    sheets.show(with_labels(daily_report(day), before))

    assert book.values("Лист1") == [
        HEADER, [DAY, ATTEMPTS, 671], [DAY, SUCCESSES, 31], [DAY, USERS, 12.5],
    ]  # fmt: skip


def test_sixty_days_from_parallel_runs_in_any_order_end_as_one_by_one(
    google: Google, book: Spreadsheet, short_pauses: None
) -> None:
    google.quota = 60
    sheets = Sheets(request_seconds=5, retry_seconds=30)
    start = dt.date(2023, 4, 1)
    days = [(start + dt.timedelta(days=n)).isoformat() for n in range(60)]
    shuffled = random.Random(7).sample(days, 60)

    def run(number: int) -> None:
        # What is in the database when the run of that day writes.
        sheets.show(daily_report(metrics(*sorted(shuffled[: number + 1]))))

    with ThreadPoolExecutor(4) as runs:
        list(runs.map(run, range(60)))

    newest_first = [
        [(row["report_date"] - dt.date(1899, 12, 30)).days, row["label"], float(row["value"])]
        for day in reversed(days) for row in metrics(day)
    ]  # fmt: skip
    assert book.values("Лист1") == [HEADER, *newest_first]
    assert len(book.sheet("Динамика")["charts"]) == 1
    assert google.refused_by_quota >= 10
    lengths = [len(values(state, "Лист1")) for state in book.history]
    assert lengths == sorted(lengths), "a day was there and went away again"


def test_an_empty_table_never_empties_the_sheet(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))

    with pytest.raises(PermanentFailure, match="nothing to show"):
        sheets.show(daily_report([]))
    assert google.count("batchUpdate") == 1


def test_days_of_which_nothing_may_be_shown_leave_their_worksheet(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    def show(*days: int) -> None:
        dates = [dt.date(2023, 5, day) for day in days]
        known = frozenset({dt.date(2023, 5, 30), dt.date(2023, 5, 31)})
        table = Table(
            (DATE, Column("Курс", 100), Column("Юзеров", 100)),
            tuple((day, "A", day.day) for day in dates),
            worksheet="Курсы", chart=Chart("x", "bar", 1, (2,)), days=known,
            labels=frozenset({("A",)}),
        )  # fmt: skip
        sheets.show([*daily_report(metrics("2023-05-31")), table])

    show()
    assert {sheet["properties"]["title"] for sheet in book.sheets} == {"Лист1", "Динамика"}
    show(31, 30)
    show(30)
    assert book.values("Курсы") == [["Дата отчета", "Курс", "Юзеров"], [DAY - 1, "A", 30]]
    show()
    assert book.values("Курсы") == [["Дата отчета", "Курс", "Юзеров"]]
    writes = google.count("batchUpdate")
    show()
    assert google.count("batchUpdate") == writes


def test_a_grid_that_is_too_small_grows(book: Spreadsheet, sheets: Sheets) -> None:
    book.sheet("Лист1")["properties"]["gridProperties"] |= {"rowCount": 2, "columnCount": 2}

    sheets.show(daily_report(metrics("2023-05-31")))

    assert len(book.values("Лист1")) == 4
    assert book.sheet("Лист1")["properties"]["gridProperties"]["columnCount"] == 3


def test_marks_and_the_filter_cover_the_lines_of_days_that_come_later(
    book: Spreadsheet, sheets: Sheets
) -> None:
    columns = (DATE, Column("Курс", 100), Column("Доля", 80))
    days = [dt.date(2023, 5, day) for day in (31, 30, 29)]
    marks = (Highlight(2, "above", 30), Highlight(1, "text", "x"))
    # The newest day goes in right below the header, the oldest one at the end.
    for there in ([1], [0, 1], [0, 1, 2]):
        lines = tuple((days[at], course, 40) for at in there for course in "AB")
        sheets.show(
            [
                *daily_report(metrics("2023-05-31")),
                Table(columns, lines, worksheet="Курсы", highlights=marks),
            ]
        )

    sheet, last = book.sheet("Курсы"), len(book.values("Курсы"))
    rules = [area for rule in sheet["conditionalFormats"] for area in rule["ranges"]]
    assert [area["startColumnIndex"] for area in rules] == [1, 2]
    for area in [*rules, sheet["basicFilter"]["range"]]:
        assert area["startRowIndex"] == 0, "the header"
        assert last == 7 <= area["endRowIndex"]


def test_upload_to_google_sheets_writes_the_worksheet_that_it_is_given(
    book: Spreadsheet, sheets: Sheets
) -> None:
    table = Table((Column("Курс", 100), Column("Доля", 80)), (("DST", 0.25),))

    shown = sheets.upload_to_google_sheets([table], "any", "Курсы")

    assert book.values("Курсы", 2) == [["Курс", "Доля"], ["DST", 0.25]]
    cell = book.sheet("Курсы")["cells"][1, 1]
    assert cell["userEnteredFormat"]["numberFormat"]["pattern"] == "#,##0.0##"
    assert shown.lines == 1


@pytest.mark.parametrize("sign", "=+-@")
def test_a_text_that_looks_like_a_formula_stays_text(
    sign: str, google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    rows = metrics("2023-05-31")
    rows[0] |= {"label": f"{sign}1+1"}
    sheets.show(daily_report(rows))
    sheets.show(daily_report(rows))

    assert book.sheet("Лист1")["cells"][1, 1] == {"userEnteredValue": {"stringValue": f"{sign}1+1"}}
    assert google.count("batchUpdate") == 1

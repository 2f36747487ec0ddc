"""Whatever readers do between runs: remarks stay beside their lines, and no line is there twice.

What readers do between the read and the write of one run is the accepted race, and not tried.
"""

import datetime as dt
import io
import random
from collections.abc import Callable
from typing import Any

import gspread
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from tenacity import Retrying, retry_if_exception_type

from grader_pipeline.sheet import workbook
from grader_pipeline.sheet.google.http import LostAnswer, Refused
from grader_pipeline.sheet.google.spreadsheet import Spreadsheet as Writer
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import Table
from grader_pipeline_tests.sheet.readers_week import MAIN, REMARK, Rows, Week
from grader_pipeline_tests.sheet.sheets_requests import Refusal
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet

SEEDS = 500
OVER_HTTP = 8
OVER_FILES = 10


class Direct:
    """Google without HTTP, which loses answers and delivers requests twice at random."""

    def __init__(self, book: Spreadsheet, chance: random.Random) -> None:
        self.book = book
        self.chance = chance

    def retrying(self, kind: type[Exception]) -> Retrying:
        return Retrying(retry=retry_if_exception_type(kind))

    def spreadsheets_get(self, _: str, params: dict[str, Any]) -> dict[str, Any]:
        return self.book.get(params["ranges"], grid_data="rowData" in params["fields"])

    def values_batch_get(self, _: str, ranges: list[str], params: object) -> dict[str, Any]:
        return self.book.values_of(ranges)

    def batch_update(self, _: str, body: dict[str, Any]) -> None:
        fault = self.chance.choice(["", "", "", "lost before", "lost after", "twice"])
        if fault == "lost before":
            raise LostAnswer("no answer")
        try:
            self.book.batch_update(body["requests"])
        except Refusal as refusal:
            raise Refused(400, "INVALID_ARGUMENT", str(refusal), writing=True) from None
        if fault == "twice":
            with pytest.raises(Refusal, match="already exists"):
                self.book.batch_update(body["requests"])
        if fault == "lost after":
            raise LostAnswer("no answer")


class GoogleSheet:
    """A Google Sheet as its readers use it; ``write`` is how the pipeline does."""

    def __init__(self, book: Spreadsheet, write: Callable[..., object]) -> None:
        self.book = book
        self.write = write

    def show(self, tables: list[Table], days: set[dt.date] | None) -> None:
        self.write(tables, days)

    def rows(self, title: str) -> Rows:
        return self.book.values(title, REMARK + 1)

    def put(self, title: str, row: int, column: int, value: Any) -> None:
        kind = "stringValue" if isinstance(value, str) else "numberValue"
        self.book.put(title, row, column, {"userEnteredValue": {kind: value}})

    def note(self, title: str, row: int, text: str) -> None:
        cell = self.book.sheet(title)["cells"].get((row, 1), {})
        self.book.put(title, row, 1, cell | {"note": text})

    def insert(self, title: str, row: int) -> None:
        self.book.insert(title, row, 1)

    def delete(self, title: str, row: int) -> None:
        area = {"dimension": "ROWS", "startIndex": row, "endIndex": row + 1}
        ident = self.book.sheet(title)["properties"]["sheetId"]
        self.book._delete_dimension({"range": area | {"sheetId": ident}})

    def sort(self, title: str, order: list[int]) -> None:
        sheet = self.book.sheet(title)
        places = {old: new for new, old in enumerate(order)}
        sheet["cells"] = {
            (places.get(row, row), column): cell for (row, column), cell in sheet["cells"].items()
        }

    def rename(self, title: str, new: str) -> None:
        self.book.sheet(title)["properties"]["title"] = new

    def drop(self, title: str) -> None:
        self.book.sheets.remove(self.book.sheet(title))

    def titles(self) -> list[str]:
        return [sheet["properties"]["title"] for sheet in self.book.sheets]


class WorkbookSheet:
    """A workbook as its readers use it. ``write`` gives the workbook after the pipeline's write."""

    def __init__(self, write: Callable[[Workbook, list[tuple[str, Table]]], Workbook]) -> None:
        self.book = Workbook()
        self.book.active.title = MAIN
        self.write = write

    def show(self, tables: list[Table], days: set[dt.date] | None) -> None:
        self.book = self.write(self.book, [(table.worksheet or MAIN, table) for table in tables])

    def rows(self, title: str) -> Rows:
        found = [
            [self._plain(cell) for cell in row]
            for row in self.book[title].iter_rows(max_col=REMARK + 1, values_only=True)
        ]
        while found and not any(cell is not None for cell in found[-1]):
            found.pop()
        return found

    def _plain(self, cell: Any) -> Any:
        date = cell.date() if isinstance(cell, dt.datetime) else cell
        return (date - dt.date(1899, 12, 30)).days if isinstance(date, dt.date) else cell

    def put(self, title: str, row: int, column: int, value: Any) -> None:
        self.book[title].cell(row + 1, column + 1).value = value

    def note(self, title: str, row: int, text: str) -> None:
        self.book[title].cell(row + 1, 2).comment = Comment(text, "reader")

    def insert(self, title: str, row: int) -> None:
        self.book[title].insert_rows(row + 1)

    def delete(self, title: str, row: int) -> None:
        self.book[title].delete_rows(row + 1)

    def sort(self, title: str, order: list[int]) -> None:
        sheet = self.book[title]
        places = {old + 1: new + 1 for new, old in enumerate(order)}
        old, sheet._cells = sheet._cells, {}
        for (row, column), cell in old.items():
            cell.row = places.get(row, row)
            sheet._cells[cell.row, column] = cell
        sheet.auto_filter.ref = f"A1:F{len(order)}"

    def rename(self, title: str, new: str) -> None:
        self.book[title].title = new

    def drop(self, title: str) -> None:
        del self.book[title]

    def titles(self) -> list[str]:
        return list(self.book.sheetnames)


def live(week: Week) -> None:
    for number in range(7):
        week.run(number)
        week.check()
        week.readers()
    week.run(7)
    week.check()


def new_book() -> Spreadsheet:
    book = Spreadsheet("x")
    book.add_sheet(MAIN, 0)
    return book


def google_without_http(chance: random.Random) -> GoogleSheet:
    book = new_book()
    book.remember = lambda: None  # type: ignore[method-assign]
    client = gspread.Client(None, http_client=lambda *_: Direct(book, chance))  # type: ignore[arg-type]
    writer = Writer(client, "x", "x", "robot", room=chance.choice([10, 40, 12_000]))
    return GoogleSheet(book, lambda tables, days: writer.show(titled(tables), days))


def titled(tables: list[Table]) -> list[tuple[str, Table]]:
    return [(table.worksheet or MAIN, table) for table in tables]


def test_a_week_of_readers_in_google_loses_no_remark_and_doubles_no_line() -> None:
    for seed in range(SEEDS):
        chance = random.Random(seed)
        try:
            live(Week(google_without_http(chance), chance))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def test_a_week_of_readers_of_the_workbook_loses_no_remark_and_doubles_no_line() -> None:
    def write(book: Workbook, tables: list[tuple[str, Table]]) -> Workbook:
        workbook.edit(book, tables, "x")
        return book

    def through_a_file(book: Workbook, tables: list[tuple[str, Table]]) -> Workbook:
        content = io.BytesIO()
        write(book, tables).save(content)
        return load_workbook(content, rich_text=True)

    for seed in range(SEEDS):
        sheet = WorkbookSheet(through_a_file if seed < OVER_FILES else write)
        try:
            live(Week(sheet, random.Random(seed)))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.parametrize("seed", range(OVER_HTTP))
def test_a_week_of_readers_over_http_loses_no_remark_and_doubles_no_line(
    seed: int, book: Spreadsheet, sheets: Sheets
) -> None:
    live(Week(GoogleSheet(book, sheets.show), random.Random(seed)))

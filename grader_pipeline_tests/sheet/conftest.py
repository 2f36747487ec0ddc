"""What the tests of the sheet share: a server that acts as Google, and a service account."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from tenacity import wait_random_exponential

from grader_pipeline.sheet.google import http as google_http
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline_tests.sheet.google_account import google_with_a_book, new_key_pair
from grader_pipeline_tests.sheet.sheets_given import BOOK, FAR, NAME, Reader
from grader_pipeline_tests.sheet.sheets_server import Google
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet


@pytest.fixture(scope="session")
def key_pair() -> tuple[str, bytes]:
    return new_key_pair()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CREDENTIALS", "ID", "NAME", "WORKSHEET", "API_URL"):
        monkeypatch.delenv(f"GOOGLE_SHEETS_{name}", raising=False)
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def path(home: Path) -> Path:
    """Where the local workbook is, or will be."""
    return home / f"{NAME}.xlsx"


@pytest.fixture
def google(
    home: Path, key_pair: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Google]:
    """A Google with one spreadsheet, and the settings for it."""
    with google_with_a_book(key_pair) as (state, settings):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield state


@pytest.fixture
def book(google: Google) -> Spreadsheet:
    return google.books[BOOK]


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between retries that are as short as the deadlines of the tests."""
    monkeypatch.setattr(google_http, "_growing", wait_random_exponential(multiplier=0.05, max=0.2))


@pytest.fixture
def sheets(short_pauses: None) -> Sheets:
    """The resource with short deadlines."""
    return Sheets(request_seconds=0.5, retry_seconds=8)


@pytest.fixture(params=["google", "workbook"])
def reader(request: pytest.FixtureRequest) -> Reader:
    found = Reader()
    if request.param == "google":
        spreadsheet = request.getfixturevalue("book")

        def type_in(title: str, row: int, column: int, value: str | int | None) -> None:
            kind = "stringValue" if isinstance(value, str) else "numberValue"
            cell = {} if value is None else {"userEnteredValue": {kind: value}}
            spreadsheet.put(title, row, column, cell)

        found.write = type_in
        found.lines = lambda title: [
            [None if cell == "" else cell for cell in line]
            for line in spreadsheet.values(title, FAR + 1)
        ]
        found.tabs = lambda: [each["properties"]["title"] for each in spreadsheet.sheets]
        return found
    file = request.getfixturevalue("path")

    def edit(title: str, row: int, column: int, value: str | int | None) -> None:
        workbook = load_workbook(file)
        workbook[title].cell(row + 1, column + 1).value = value
        workbook.save(file)

    found.write = edit
    found.lines = lambda title: [
        list(row) for row in load_workbook(file)[title].iter_rows(max_col=FAR + 1, values_only=True)
    ]
    found.tabs = lambda: load_workbook(file).sheetnames
    return found

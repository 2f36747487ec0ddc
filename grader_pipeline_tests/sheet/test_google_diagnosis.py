"""Each of Google's refusals is named, with account, sheet and what to do."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import daily_report
from grader_pipeline_tests.certificates import server_with_expired_certificate
from grader_pipeline_tests.sheet.sheets_given import ACCOUNT, BOOK, NAME, metrics
from grader_pipeline_tests.sheet.sheets_server import Fault, Google
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet

SHEETS_SCOPE = "https://www.googleapis.com/auth/spreadsheets"
DRIVE_SCOPE = "https://www.googleapis.com/auth/drive.readonly"


def show(sheets: Sheets) -> None:
    sheets.show(daily_report(metrics("2023-05-31")))


def protect(google: Google) -> None:
    area = {"sheetId": 0, "startColumnIndex": 0, "endColumnIndex": 2}
    google.books[BOOK].sheet("Лист1")["protectedRanges"].append({"range": area})


OVER_QUOTA = b'{"error": {"errors": [{"reason": "quotaExceeded"}]}}'
OFFICE_FILE = b'{"error": {"message": "This operation is not supported for this document"}}'

TROUBLES: dict[str, tuple[Callable[[Google], object], str]] = {
    "Not shared": (lambda g: setattr(g, "may_read", False), "Share the spreadsheet"),
    "Read-only": (lambda g: setattr(g, "may_write", False), "as an editor"),
    "API disabled": (lambda g: setattr(g, "api_enabled", False), "Enable the Google Sheets API"),
    "Wrong id": (lambda g: g.books.clear(), "Check GOOGLE_SHEETS_ID"),
    "Key revoked": (
        lambda g: setattr(g, "token_error", {"error": "invalid_grant"}),
        "Create a new JSON key",
    ),
    "Protected": (protect, "lift the protection"),
    "Quota used up": (
        lambda g: g.fail("get", Fault(403, OVER_QUOTA)),
        "raise the quota",
    ),
    "Not a Google Sheet": (
        lambda g: g.fail("get", *[Fault(400, OFFICE_FILE)] * 2),
        "save it as a Google Sheet",
    ),
}  # fmt: skip


@pytest.mark.parametrize("act", [show, Sheets.probe])
@pytest.mark.parametrize("name", TROUBLES)
def test_a_run_and_doctor_name_each_trouble_and_what_to_do(
    name: str, act: Callable[[Sheets], object], google: Google, sheets: Sheets
) -> None:
    cause, advice = TROUBLES[name]
    book = google.books[BOOK]
    cause(google)

    with pytest.raises((PermanentFailure, TransientFailure)) as caught:
        act(sheets)

    said = caught.value.description or ""
    assert said.startswith(name)
    assert advice in said
    assert ACCOUNT in said
    assert BOOK in said
    assert isinstance(caught.value, TransientFailure) == (name == "Quota used up")
    assert len(book.history) == 1


def test_doctor_says_when_all_is_well_and_changes_nothing(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    said = sheets.probe()

    assert said == f"{ACCOUNT} may write the Google spreadsheet «{BOOK}»."
    assert all(state == book.history[0] or not state[0]["cells"] for state in book.history)
    show(sheets)
    before = book.values("Лист1")
    sheets.probe()
    assert book.values("Лист1") == before


def test_doctor_names_a_wrong_header(book: Spreadsheet, sheets: Sheets) -> None:
    book.put("Лист1", 0, 0, {"userEnteredValue": {"stringValue": "Курс"}})
    with pytest.raises(PermanentFailure, match="Wrong header"):
        sheets.probe()


def test_an_id_needs_the_right_to_sheets_only(google: Google, sheets: Sheets) -> None:
    show(sheets)
    assert google.scopes == [SHEETS_SCOPE]
    assert google.count("drive") == 0


@pytest.fixture
def by_name(google: Google, monkeypatch: pytest.MonkeyPatch) -> Google:
    monkeypatch.delenv("GOOGLE_SHEETS_ID")
    return google


def test_a_name_is_looked_up_in_drive(by_name: Google, book: Spreadsheet, sheets: Sheets) -> None:
    show(sheets)
    assert by_name.scopes == [f"{SHEETS_SCOPE} {DRIVE_SCOPE}"]
    assert len(book.values("Лист1")) == 4


def test_two_spreadsheets_of_one_name_are_listed_and_left_alone(
    by_name: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    by_name.books["second"] = Spreadsheet(NAME)
    with pytest.raises(PermanentFailure, match=f"{BOOK}, second. None was touched"):
        show(sheets)
    assert book.values("Лист1") == []


def test_a_name_that_nobody_shared_is_not_created(by_name: Google, sheets: Sheets) -> None:
    by_name.books.clear()
    with pytest.raises(PermanentFailure, match=f"share it with {ACCOUNT} as an editor"):
        show(sheets)
    assert not by_name.books


def test_a_copy_in_the_bin_of_drive_does_not_count(
    by_name: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    by_name.books["copy"] = copy = Spreadsheet(NAME)
    copy.is_trashed = True
    show(sheets)
    assert len(book.values("Лист1")) == 4
    assert not copy.sheets


def test_a_name_may_hold_quotes_and_slashes(
    by_name: Google, book: Spreadsheet, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ('Курс "DST" \\ отчёт', "Отчёт 05/06", "L'école"):
        book.title = title
        monkeypatch.setenv("GOOGLE_SHEETS_NAME", title)
        show(sheets)
        assert len(book.values("Лист1")) == 4


def test_a_worksheet_may_be_named_in_other_capitals(
    book: Spreadsheet, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_SHEETS_WORKSHEET", "лист1")
    show(sheets)
    sheets.probe()
    assert len(book.values("Лист1")) == 4
    assert "лист1" not in [sheet["properties"]["title"] for sheet in book.sheets]


def test_a_certificate_that_has_expired_is_called_expired(
    google: Google, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server_with_expired_certificate(monkeypatch) as url:
        monkeypatch.setenv("GOOGLE_SHEETS_API_URL", url)
        with pytest.raises(PermanentFailure, match="certificate has expired"):
            show(sheets)


@pytest.fixture
def key(google: Google, tmp_path: Path) -> Path:
    """The account's key in a file."""
    file = tmp_path / "key.json"
    file.write_text(os.environ["GOOGLE_SHEETS_CREDENTIALS"])
    return file


def test_credentials_may_be_a_path(
    key: Path, book: Spreadsheet, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_SHEETS_CREDENTIALS", str(key))
    show(sheets)
    assert len(book.values("Лист1")) == 4


def test_application_default_credentials_serve_an_id(
    key: Path, book: Spreadsheet, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    monkeypatch.delenv("GOOGLE_SHEETS_CREDENTIALS")
    show(sheets)
    assert len(book.values("Лист1")) == 4


@pytest.mark.parametrize(
    "given",
    [
        "/nowhere/hidden-key.json",
        '{"private_key": "hidden-key"',
        "hidden-key",
        json.dumps({"type": "service_account", "private_key": "hidden-key"}),
        json.dumps(["hidden-key"]),
        json.dumps(
            {"private_key": "hidden-key", "client_email": "a@b", "token_uri": "http://localhost"}
        ),
    ],
)
def test_credentials_that_cannot_be_used_are_not_quoted(
    given: str, google: Google, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_SHEETS_CREDENTIALS", given)
    with pytest.raises(PermanentFailure, match="GOOGLE_SHEETS_CREDENTIALS") as caught:
        show(sheets)
    assert "hidden-key" not in f"{caught.value!r} {caught.value.description}"
    assert not google.asked

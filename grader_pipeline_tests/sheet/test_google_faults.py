"""After any fault of Google at any write, the sheet is as without the fault."""

import logging
from collections import deque
from itertools import groupby

import pytest

from grader_pipeline import logs
from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import Table, daily_report
from grader_pipeline_tests.sheet.sheets_given import ACCOUNT, BOOK, metrics, with_labels
from grader_pipeline_tests.sheet.sheets_server import HTML, TOKEN, Fault, Google
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet, values

FAULTS = {
    "429": Fault(429, b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}'),
    "500 in HTML": Fault(500, HTML),
    "503": Fault(503, b'{"error": {"code": 503, "status": "UNAVAILABLE"}}'),
    "200 in HTML": Fault(200, HTML),
    "hang": Fault(0, seconds=30),
    "trickle": Fault(200, b"{" + b" " * 1000, trickle=True),
    "drop": Fault(0),
    "drop after applying": Fault(0, applied=True),
    "hang after applying": Fault(0, applied=True, seconds=30),
    "502 after applying": Fault(502, HTML, applied=True),
}
WRITES = {
    "first day": ([], metrics("2023-05-30")),
    "another day": (metrics("2023-05-30"), metrics("2023-05-30", "2023-05-31")),
    "fewer lines": (metrics("2023-05-30"), metrics("2023-05-30")[:2]),
}


def everything(book: Spreadsheet) -> list[object]:
    return [(s["properties"], s["cells"], s["widths"], s["charts"]) for s in book.sheets]


WITHOUT_FAULT: dict[str, list[object]] = {}
"""What each of the writes leaves when nothing goes wrong."""


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_a_write_changes_nothing_about_the_sheet(
    fault: str,
    write: str,
    *,
    google: Google,
    book: Spreadsheet,
    sheets: Sheets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after = (daily_report(rows) for rows in WRITES[write])
    after = with_labels(after, before)
    if write not in WITHOUT_FAULT:
        twin = Spreadsheet(book.title)
        twin.add_sheet("Лист1", 0)
        google.books["twin"] = twin
        monkeypatch.setenv("GOOGLE_SHEETS_ID", "twin")
        show_both(sheets, before, after)
        monkeypatch.setenv("GOOGLE_SHEETS_ID", BOOK)
        WITHOUT_FAULT[write] = everything(twin)
    google.faults["batchUpdate"] = deque([*[None] * bool(before[0].lines), FAULTS[fault]])

    show_both(sheets, before, after)

    assert not google.faults["batchUpdate"]
    assert everything(book) == WITHOUT_FAULT[write]
    # Each state that a reader could see is the old one or the new one, whole.
    seen = [len(values(state, "Лист1")) for state in book.history]
    whole = [0, *(len(table.lines) + 1 for table in (before[0], after[0]) if table.lines)]
    assert [n for n, _ in groupby(seen)] == whole


def show_both(sheets: Sheets, before: tuple[Table, ...], after: tuple[Table, ...]) -> None:
    if before[0].lines:
        sheets.show(before)
    assert sheets.show(after).written


@pytest.mark.parametrize("kind", ["token", "get"])
@pytest.mark.parametrize("fault", ["429", "500 in HTML", "hang", "drop"])
def test_a_fault_before_the_write_is_waited_out(
    fault: str, kind: str, google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    google.fail(kind, FAULTS[fault])

    sheets.show(daily_report(metrics("2023-05-31")))

    assert len(book.values("Лист1")) == 4
    assert google.count(kind) >= 2


@pytest.mark.parametrize("kind", ["token", "get", "batchUpdate"])
def test_a_fault_that_stays_ends_in_a_failure_that_may_be_repeated(
    kind: str, google: Google, book: Spreadsheet
) -> None:
    sheets = Sheets(request_seconds=1, retry_seconds=1.5)
    google.fail(kind, *[FAULTS["503"]] * 100)

    with pytest.raises(TransientFailure, match="it answered 503") as caught:
        sheets.show(daily_report(metrics("2023-05-31")))

    assert caught.value.allow_retries
    assert book.values("Лист1") == []
    assert len(google.faults[kind]) > 80, "retried without pauses"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("kind", ["get", "batchUpdate"])
def test_a_refusal_is_not_repeated(
    kind: str, status: int, google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    google.asked.clear()
    google.fail(kind, *[Fault(status, b'{"error": {"message": "no"}}')] * 5)

    with pytest.raises(PermanentFailure):
        sheets.show(daily_report(metrics("2023-05-31")))

    # A 400 makes us look whether the sheet is other than we thought: one more kind of read. A 401
    # may be about a token that is no longer fresh.
    twice = {("get", 400), ("batchUpdate", 401)}
    assert google.count(kind) == (2 if (kind, status) in twice else 1)


def test_a_token_that_google_ends_in_mid_run_is_replaced_by_a_fresh_one(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    google.fail("batchUpdate", Fault(401, b'{"error": {"message": "token expired"}}'))
    assert sheets.show(daily_report(metrics("2023-05-30"))).written
    assert len(book.values("Лист1")) == 4
    assert (google.count("token"), google.count("batchUpdate")) == (2, 2)


def test_a_quota_that_stays_used_up_is_called_so_with_account_and_sheet(google: Google) -> None:
    sheets = Sheets(request_seconds=1, retry_seconds=1)
    body = b'{"error": {"code": 429, "message": "Quota exceeded for quota metric Read requests"}}'
    google.fail("get", *[Fault(429, body)] * 100)
    with pytest.raises(TransientFailure) as caught:
        sheets.show(daily_report(metrics("2023-05-31")))
    said = caught.value.description or ""
    assert said.startswith("Quota used up: ")
    for part in (ACCOUNT, BOOK, "Quota exceeded for quota metric Read requests"):
        assert part in said


def test_the_pause_of_retry_after_is_kept(google: Google, sheets: Sheets) -> None:
    import time

    google.fail("get", Fault(429, b"{}", (("Retry-After", "2"),)))
    started = time.monotonic()

    sheets.show(daily_report(metrics("2023-05-31")))

    assert time.monotonic() - started >= 2


def test_a_server_that_asks_for_an_hour_is_not_waited_for(google: Google, sheets: Sheets) -> None:
    google.fail("get", Fault(503, b"", (("Retry-After", "Fri, 31 Dec 2066 23:59:59 GMT"),)))

    with pytest.raises(TransientFailure):
        sheets.show(daily_report(metrics("2023-05-31")))
    assert google.count("get") == 1


def test_somebody_who_changes_the_sheet_between_read_and_write_is_noticed(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    real = book.get

    def get(ranges: list[str], *, grid_data: bool) -> dict[str, object]:
        answer = real(ranges, grid_data=grid_data)
        if "Динамика" not in [s["properties"]["title"] for s in book.sheets]:
            book.add_sheet("Динамика", 77)
        return answer

    book.get = get  # type: ignore[method-assign]

    sheets.show(daily_report(metrics("2023-05-31")))

    assert len(book.values("Динамика", 4)) == 2
    assert google.count("batchUpdate") == 2


def test_no_secret_is_in_logs_and_failures(
    google: Google, sheets: Sheets, key_pair: tuple[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    logs.configure()  # as each process does when it starts
    caplog.set_level(logging.DEBUG)
    said = ""
    for kind, fault in (("token", "503"), ("get", "drop"), ("batchUpdate", "500 in HTML")):
        google.fail(kind, FAULTS[fault])
    sheets.show(daily_report(metrics("2023-05-31")))
    google.token_error = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    try:
        sheets.show(daily_report(metrics("2023-05-31")))
    except PermanentFailure as failure:
        said = f"{failure!r} {failure.description} {failure.__cause__!r}"

    assert "Invalid JWT Signature" in said
    assert "it answered 503; asking again in" in caplog.text
    key_line = key_pair[0].splitlines()[3]
    for secret in (TOKEN, key_line, "0123456789abcdef", "assertion="):
        assert secret not in caplog.text
        assert secret not in said

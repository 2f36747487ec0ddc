"""What the tests of the sheet share: a server that acts as Google, and a service account."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tenacity import wait_random_exponential

from grader_pipeline.sheet.google import http as google_http
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline_tests.sheet.sheets_given import ACCOUNT, BOOK, NAME
from grader_pipeline_tests.sheet.sheets_server import Google, serve
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet


@pytest.fixture(scope="session")
def key_pair() -> tuple[str, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public


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
    """A Google with one spreadsheet, as a Russian account makes it, and the settings for it."""
    state = Google(ACCOUNT, key_pair[1])
    book = Spreadsheet(NAME)
    book.add_sheet("Лист1", 0)
    book.remember()
    state.books[BOOK] = book
    server = serve(state)
    key = {
        "type": "service_account",
        "private_key": key_pair[0],
        "private_key_id": "0123456789abcdef",
        "client_email": ACCOUNT,
        "token_uri": f"{state.url}/token",
    }
    monkeypatch.setenv("GOOGLE_SHEETS_CREDENTIALS", json.dumps(key))
    monkeypatch.setenv("GOOGLE_SHEETS_ID", BOOK)
    monkeypatch.setenv("GOOGLE_SHEETS_API_URL", state.url)
    yield state
    state.wake.set()
    server.shutdown()
    server.server_close()


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

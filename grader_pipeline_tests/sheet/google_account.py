"""A service account, and a server that acts as its Google."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from grader_pipeline_tests.sheet.sheets_given import ACCOUNT, BOOK, NAME
from grader_pipeline_tests.sheet.sheets_server import Google, serve
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet


def new_key_pair() -> tuple[str, bytes]:
    """The private and the public key of a service account."""
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


@contextmanager
def google_with_a_book(
    keys: tuple[str, bytes], host: str = "127.0.0.1"
) -> Iterator[tuple[Google, dict[str, str]]]:
    """A Google with one spreadsheet, as a Russian account makes it, and the settings for it."""
    state = Google(ACCOUNT, keys[1])
    book = Spreadsheet(NAME)
    book.add_sheet("Лист1", 0)
    book.remember()
    state.books[BOOK] = book
    server = serve(state, host)
    key = {
        "type": "service_account",
        "private_key": keys[0],
        "private_key_id": "0123456789abcdef",
        "client_email": ACCOUNT,
        "token_uri": f"{state.url}/token",
    }
    try:
        yield (
            state,
            {
                "GOOGLE_SHEETS_CREDENTIALS": json.dumps(key),
                "GOOGLE_SHEETS_ID": BOOK,
                "GOOGLE_SHEETS_API_URL": state.url,
            },
        )
    finally:
        state.wake.set()
        server.shutdown()
        server.server_close()

"""A server that acts as Google: token endpoint, Drive and Sheets v4, over HTTP, with faults."""

import json
import re
import threading
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.auth import crypt, jwt

from grader_pipeline_tests.sheet.sheets_discovery import (
    Invalid,
    check_body,
    check_mask,
    check_parameters,
    masked,
    parse_mask,
)
from grader_pipeline_tests.sheet.sheets_requests import Refusal
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet
from grader_pipeline_tests.sheet.sheets_state import Fault, Google, error

__all__ = ["HTML", "TOKEN", "Fault", "Google", "serve"]

HTML = b"<!DOCTYPE html><html><title>Error</title><p>That's an error. It's all we know.</html>"
_TERM = re.compile(r"(\w+) = ('(?:[^'\\]|\\.)*'|true|false)")
TOKEN = "ya29.the-access-token"


def serve(google: Google, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """The server, on a free port, in a thread."""

    class Handler(_Handler):
        state = google

    server = ThreadingHTTPServer((host, 0), Handler)
    google.url = f"http://{host}:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    state: Google
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(address.query, strict_parsing=bool(address.query))
        if address.path == "/drive/v3/files":
            self._respond("drive", lambda: self._drive(query))
        else:
            path = urllib.parse.unquote(address.path.removeprefix("/v4/spreadsheets/"))
            book = path.removesuffix("/values:batchGet")
            get = self._get_values if path.endswith("/values:batchGet") else self._get
            self._respond("get", lambda: get(book, query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.state.written += 0 if self.path == "/token" else len(body)
        if self.path == "/token":
            self._respond("token", lambda: self._token(body))
        else:
            book, _, method = self.path.removeprefix("/v4/spreadsheets/").partition(":")
            assert method == "batchUpdate", self.path
            self._respond("batchUpdate", lambda: self._batch_update(book, json.loads(body)))

    def _respond(self, kind: str, work: Callable[[], tuple[int, Any]]) -> None:
        self.state.asked.append((kind, self.path))
        status, document, fault = self.state.answer(kind, work)
        if fault:
            self.state.wake.wait(fault.seconds)
            status, document = fault.status, fault.body
        if not status:
            self.close_connection = True
            self.connection.close()
            return
        data = (
            document
            if isinstance(document, bytes)
            else json.dumps(document, ensure_ascii=False).encode()
        )
        self.state.answered += len(data)
        self.send_response(status)
        for name, value in fault.headers if fault else ():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if fault and fault.trickle:
            for byte in data:
                self.wfile.write(bytes([byte]))
                self.state.wake.wait(0.1)
        else:
            self.wfile.write(data)

    def _token(self, body: bytes) -> tuple[int, Any]:
        form = urllib.parse.parse_qs(body.decode())
        signer = crypt.RSAVerifier.from_string(self.state.public_key)
        claims = jwt.decode(form["assertion"][0], certs=None, verify=False)
        signed, _, _ = form["assertion"][0].rpartition(".")
        assert signer.verify(signed, _signature(form["assertion"][0]))
        if self.state.token_error:
            return 400, self.state.token_error
        self.state.scopes.append(claims["scope"])
        return 200, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}

    def _denied(self, *, writing: bool) -> tuple[int, Any] | None:
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            return 401, error(401, "UNAUTHENTICATED", "Request had invalid credentials.")
        if not self.state.api_enabled:
            text = "Google Sheets API has not been used in project 123 before or it is disabled."
            return 403, error(403, "PERMISSION_DENIED", text, "SERVICE_DISABLED")
        if not (self.state.may_write if writing else self.state.may_read):
            return 403, error(403, "PERMISSION_DENIED", "The caller does not have permission")
        return None

    def _drive(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        if denied := self._denied(writing=False):
            return denied
        terms = _TERM.findall(query["q"][0])
        assert " and ".join(f"{name} = {value}" for name, value in terms) == query["q"][0]
        found = [
            {"id": ident, "name": book.title}
            for ident, book in self.state.books.items()
            if all(_file(book)[name] == value for name, value in terms)
        ]
        at = int(query.get("pageToken", ["0"])[0])
        more = {"nextPageToken": str(at + 1)} if at + 1 < len(found) else {}
        return 200, {"files": found[at : at + 1], **more}

    def _get(self, ident: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if denied := self._denied(writing=False):
            return denied
        try:
            check_parameters("get", query)
            mask = parse_mask(query["fields"][0])
            check_mask("Spreadsheet", mask)
            if ident not in self.state.books:
                return 404, error(404, "NOT_FOUND", "Requested entity was not found.")
            grid_data = "data" in mask.get("sheets", {})
            document = self.state.books[ident].get(query.get("ranges", []), grid_data=grid_data)
        except (Invalid, Refusal) as refusal:
            return 400, error(400, "INVALID_ARGUMENT", str(refusal))
        return 200, masked(document, mask)

    def _get_values(self, ident: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if denied := self._denied(writing=False):
            return denied
        try:
            check_parameters("values.batchGet", query)
            assert query["majorDimension"] == ["COLUMNS"]
            assert query["valueRenderOption"] == ["UNFORMATTED_VALUE"]
            assert query["dateTimeRenderOption"] == ["SERIAL_NUMBER"]
            mask = parse_mask(query["fields"][0])
            check_mask("BatchGetValuesResponse", mask)
            return 200, masked(self.state.books[ident].values_of(query["ranges"]), mask)
        except (Invalid, Refusal) as refusal:
            return 400, error(400, "INVALID_ARGUMENT", str(refusal))

    def _batch_update(self, ident: str, body: dict[str, Any]) -> tuple[int, Any]:
        if denied := self._denied(writing=True):
            return denied
        if ident not in self.state.books:
            return 404, error(404, "NOT_FOUND", "Requested entity was not found.")
        try:
            check_body("BatchUpdateSpreadsheetRequest", body)
            self.state.books[ident].batch_update(body["requests"])
        except (Invalid, Refusal) as refusal:
            return 400, error(400, "INVALID_ARGUMENT", str(refusal))
        return 200, {"spreadsheetId": ident, "replies": [{} for _ in body["requests"]]}


def _file(book: Spreadsheet) -> dict[str, str]:
    """The file as a query of Drive writes its parts."""
    quoted = book.title.replace("\\", "\\\\").replace("'", "\\'")
    return {
        "mimeType": "'application/vnd.google-apps.spreadsheet'",
        "name": f"'{quoted}'",
        "trashed": str(book.is_trashed).lower(),
    }


def _signature(assertion: str) -> bytes:
    import base64

    encoded = assertion.rpartition(".")[2]
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))

"""HTTP with one deadline for the whole exchange, from connecting to the last byte.

Timeouts of single reads do not end an exchange with a server that sends a byte now and then. The
deadline does. Each status is an answer. Redirects are not followed and nothing is sent twice.
"""

import json as json_texts
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPException, HTTPResponse, IncompleteRead, InvalidURL
from typing import Any
from urllib.error import URLError

from grader_pipeline.resources.http_opener import NotConnected, open_request, request_for

_OK = 200
_PIECE = 1024 * 1024
"""Bytes of a body that are read, or unpacked, at once."""

_WITH_HEADER, _WITHOUT_HEADER = 32 + zlib.MAX_WBITS, -zlib.MAX_WBITS

Take = Callable[[bytes], object]


class NoAnswerError(Exception):
    """There is no whole answer. The text is the cause in a word or two, without the address."""


class AddressError(NoAnswerError):
    """The address cannot be used."""


class UnreachableError(NoAnswerError):
    """The server cannot be connected to."""


class CertificateError(NoAnswerError):
    """The server's certificate cannot be trusted. The text is why: it has expired, or such."""


class DeadlineError(NoAnswerError):
    """The deadline passed before the last byte was received."""


@dataclass(frozen=True)
class Answer:
    """An answer of any status. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    data: bytes = b""

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The data read as JSON. None if they are not JSON."""
        try:
            return json_texts.loads(self.data)
        except ValueError:
            return None


def exchange(
    method: str,
    url: str,
    *,
    seconds: float,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
    json: object = None,
    take: Take | None = None,
) -> Answer:
    """Send a request and read the whole answer within ``seconds``.

    ``params`` replace those of the same name in ``url``. The body is ``data`` or ``json``. With
    ``take``, the body of a 200 goes there, unpacked and in pieces, and other bodies are not read.
    The answer then has no data.

    Raises NoAnswerError, and what ``take`` raises.
    """
    given = dict(headers or {})
    if json is not None:
        data = json_texts.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
        given = {"Content-Type": "application/json", **given}
    deadline = time.monotonic() + seconds
    attempted = partial(_attempted, seconds, deadline)
    request = attempted(request_for, method, url, params or {}, given, data)
    with closing(attempted(open_request, request, deadline)) as response:
        answer = Answer(
            response.status, {name.lower(): text for name, text in response.headers.items()}
        )
        if take is not None and answer.status != _OK:
            return answer
        pieces = _unpacked(response)
        read: list[bytes] = []
        while piece := attempted(next, pieces, b""):
            (take or read.append)(piece)
        return replace(answer, data=b"".join(read))


def _attempted(seconds: float, deadline: float, step: Callable[..., Any], *given: object) -> Any:  # noqa: ANN401
    try:
        return step(*given)
    except (OSError, ValueError, HTTPException, NotConnected, zlib.error) as error:
        failure = _failure(error, seconds, deadline)
    # Raised in the handler, it would have the library's error as its context, and so the address,
    # which may have a key in it.
    raise failure


def _failure(error: Exception, seconds: float, deadline: float) -> NoAnswerError:
    is_connected = not isinstance(error, NotConnected)
    cause = error.error if isinstance(error, NotConnected) else error
    if isinstance(cause, URLError) and isinstance(cause.reason, Exception):
        cause = cause.reason
    name = type(cause).__name__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return CertificateError(cause.verify_message)
    if isinstance(cause, TimeoutError) and (is_connected or time.monotonic() >= deadline):
        return DeadlineError(f"no answer within {seconds:g} seconds")
    if not is_connected:
        return UnreachableError(name)
    if isinstance(cause, InvalidURL):
        return AddressError(name)
    return NoAnswerError(name)


def _unpacked(response: HTTPResponse) -> Iterator[bytes]:
    """The body in pieces. Raises IncompleteRead if the connection ends before it."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    unpacker = zlib.decompressobj(_WITH_HEADER) if coding in {"gzip", "deflate"} else None
    has_begun = False
    while piece := response.read(_PIECE):
        if unpacker is None:
            yield piece
            continue
        if not has_begun and coding == "deflate" and not _has_header(piece):
            unpacker = zlib.decompressobj(_WITHOUT_HEADER)
        has_begun = True
        # A small piece may be a thousand times as large.
        while piece:
            if unpacked := unpacker.decompress(piece, _PIECE):
                yield unpacked
            piece = unpacker.unconsumed_tail
    if unpacker and (unpacked := unpacker.flush()):
        yield unpacked
    if response.length or (unpacker and has_begun and not unpacker.eof):
        raise IncompleteRead(b"", response.length)


def _has_header(packed: bytes) -> bool:
    """Whether deflate is with zlib's header, as it should be. Some servers leave it out."""
    return packed[0] & 15 == zlib.DEFLATED and int.from_bytes(packed[:2]) % 31 == 0

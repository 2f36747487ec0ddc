"""HTTP with one deadline for the whole exchange, from connecting to the last byte.

Timeouts of single reads do not end an exchange with a server that sends a byte now and then. The
deadline does. Each status is an answer. Redirects are not followed and nothing is sent twice.
"""

import asyncio
import json as json_texts
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import httpx

_OK = 200

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
    request: dict[str, Any] = {"method": method, "headers": headers, "content": data, "json": json}
    failure: NoAnswerError
    try:
        request["url"] = httpx.URL(url).copy_merge_params(params or {})
        return asyncio.run(_exchange(request, seconds, take))
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        failure = AddressError(type(error).__name__)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        failure = _unconnected(error)
    except httpx.HTTPError as error:
        failure = NoAnswerError(type(error).__name__)
    except TimeoutError:
        failure = DeadlineError(f"no answer within {seconds:g} seconds")
    # Raised in a handler, it would have the library's error as its context, and so the address,
    # which may have a key in it.
    raise failure


def _unconnected(error: BaseException) -> NoAnswerError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateError(cause.verify_message)
        cause = cause.__cause__ or cause.__context__
    return UnreachableError(type(error).__name__)


async def _exchange(request: dict[str, Any], seconds: float, take: Take | None) -> Answer:
    limits = httpx.Timeout(None, connect=15)
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(timeout=limits, verify=_certificates()) as client,
        client.stream(**request) as response,
    ):
        answer = Answer(response.status_code, dict(response.headers))
        if take is None:
            return replace(answer, data=await response.aread())
        if answer.status == _OK:
            async for piece in response.aiter_bytes():
                take(piece)
        return answer


@cache
def _certificates() -> ssl.SSLContext:
    """Read the trusted certificates once. That takes longer than an exchange."""
    return httpx.create_ssl_context()

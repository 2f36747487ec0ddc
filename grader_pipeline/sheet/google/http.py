"""How requests to Google travel: address, token, deadlines and retries, for gspread.

Only the transport belongs here. It knows which answers may change by asking again; what a
refusal means for the sheet is told by ``refusals``.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any

import gspread
import httpx
from google.auth import transport
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_before_delay,
    wait_random_exponential,
)

from grader_pipeline.failures import TransientFailure, asked_pause, is_worth_retrying

log = logging.getLogger(__name__)
_CONNECT_SECONDS = 10
_LONGEST_PAUSE = 32
_GOOGLE = ("https://sheets.googleapis.com", "https://www.googleapis.com")


class Refused(Exception):  # noqa: N818 - an answer, not a mishap
    """Google's answer is no, and asking again would not change it.

    ``status`` is the HTTP status (0: no token was given), ``reason`` and ``message`` are Google's.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class _AskAgain(TransientFailure):
    """No answer, or one that asks for patience; ``pause`` is what Retry-After said, in seconds."""

    def __init__(self, what: str, pause: float | None = None) -> None:
        super().__init__(
            f"Google Sheets could not be reached in time: {what}. The sheet is as before, or "
            "already up to date. Run the day again later; twice does no harm."
        )
        self.what = what
        self.pause = pause

    def __str__(self) -> str:
        return self.what


class GoogleHTTP(gspread.HTTPClient):
    """gspread's way to Google, with an end to each request and to all of its retries.

    ``request_seconds`` bounds one request from connecting to the last byte, which timeouts of
    single reads cannot; ``retry_seconds`` bounds it with its retries and pauses. 408, 429, 5xx,
    drops and timeouts are retried, other refusals never, those of the token's endpoint alike.
    ``base_url`` stands in for Google's own addresses.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str | None,
        request_seconds: float,
        retry_seconds: float,
    ) -> None:
        super().__init__(credentials)
        self.base_url = base_url
        self.request_seconds = request_seconds
        self.retry_seconds = retry_seconds

    def request(  # type: ignore[override]
        self,
        method: str,
        endpoint: str,
        params: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        json: Mapping[str, Any] | None = None,
        files: None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request, again while that may help.

        The answer has all that gspread reads of one. Raises Refused, or TransientFailure when
        time ran out.
        """
        attempts = Retrying(
            retry=retry_if_exception_type(_AskAgain),
            wait=_pause,
            stop=stop_before_delay(self.retry_seconds),
            before_sleep=_note,
            reraise=True,
        )
        parts = {"params": params, "content": data, "json": json}
        return attempts(self._once, method, self._address(endpoint), parts, dict(headers or {}))

    def _address(self, endpoint: str) -> str:
        for google in _GOOGLE:
            if self.base_url and endpoint.startswith(google):
                return self.base_url.rstrip("/") + endpoint.removeprefix(google)
        return endpoint

    def _once(
        self,
        method: str,
        url: str,
        parts: dict[str, Any],
        headers: dict[str, str],
    ) -> httpx.Response:
        answer = self._send(method, url, parts | {"headers": headers | self._token()})
        if not answer.is_success:
            raise _refused(answer)
        if not isinstance(_json(answer), dict):
            raise _AskAgain(f"an answer {answer.status_code} that is not JSON")
        return answer

    def _token(self) -> dict[str, str]:
        """Give the header that authorizes us, without the look-ups Google's library would add."""
        if not self.auth.valid:
            try:
                self.auth.refresh(_TokenTransport(self))  # type: ignore[no-untyped-call]
            except GoogleAuthError as error:
                # Its arguments hold the whole answer of the token endpoint; we say its first words.
                message = str(error.args[0]) if error.args else type(error).__name__
                raise Refused(0, "TOKEN", message[:200]) from None
        headers: dict[str, str] = {}
        self.auth.apply(headers)  # type: ignore[no-untyped-call]
        return headers

    def _send(self, method: str, url: str, parts: dict[str, Any]) -> httpx.Response:
        """One exchange within the deadline. Raises _AskAgain when there was none."""
        try:
            answer = asyncio.run(self._exchange(method, url, parts))
        except TimeoutError:
            raise _AskAgain(f"no answer within {self.request_seconds:g} seconds") from None
        except httpx.TransportError as error:
            raise _AskAgain(f"the connection failed ({type(error).__name__})") from None
        if is_worth_retrying(answer.status_code):
            raise _AskAgain(
                f"it answered {answer.status_code}",
                asked_pause(answer.headers.get("Retry-After", "")),
            )
        return answer

    async def _exchange(self, method: str, url: str, parts: dict[str, Any]) -> httpx.Response:
        limits = httpx.Timeout(self.request_seconds, connect=_CONNECT_SECONDS)
        async with (
            asyncio.timeout(self.request_seconds),
            httpx.AsyncClient(timeout=limits, verify=_certificates()) as client,
        ):
            return await client.request(method.upper(), url, **parts)


@cache
def _certificates() -> ssl.SSLContext:
    """Read the trusted certificates once: that takes longer than a request does."""
    return httpx.create_ssl_context()


class _TokenTransport(transport.Request):
    """What google-auth fetches tokens with: the same deadlines and retries as for the sheet."""

    def __init__(self, http: GoogleHTTP) -> None:
        self._http = http

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_others: object,
    ) -> transport.Response:
        # The deadline is ours, whatever timeout the library proposes.
        parts = {"content": body, "headers": dict(headers or {})}
        return _TokenAnswer(self._http._send(method, url, parts))


class _TokenAnswer(transport.Response):
    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content


def _refused(answer: httpx.Response) -> Refused:
    document = _json(answer)
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return Refused(answer.status_code, "UNKNOWN", f"an answer of {len(answer.content)} bytes")
    details = [*error.get("details", ()), *error.get("errors", ())]
    reasons = [part["reason"] for part in details if isinstance(part, dict) and "reason" in part]
    reason = str(next(iter(reasons), error.get("status", "UNKNOWN")))
    return Refused(answer.status_code, reason, str(error.get("message", ""))[:500])


def _json(answer: httpx.Response) -> object:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


_growing = wait_random_exponential(max=_LONGEST_PAUSE)


def _pause(state: RetryCallState) -> float:
    """Wait as long as the server asks for, and some jitter, so that clients do not march."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.pause if isinstance(error, _AskAgain) and error.pause else 0.0
    return asked + _growing(state)


def _note(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("Google Sheets: %s; asking again in %.1f s", error, state.upcoming_sleep)

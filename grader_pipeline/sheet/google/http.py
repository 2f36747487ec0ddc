"""Requests to Google for gspread: address, token, deadline, and what is sent again.

429 (quota used up), 408, 5xx, dropped connections and missed deadlines are tried again, here and
only here: after the seconds of ``Retry-After`` and a growing random pause, until ``retry_seconds``
are over. Then a TransientFailure fails the run, and Dagster retries it.
``failures.is_worth_retrying`` lists the statuses. All other refusals are raised at once as
:class:`Refused`; ``refusals`` says what each means and what to do.
"""

import logging
from collections.abc import Mapping
from typing import Any

import gspread
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
from grader_pipeline.resources.http import Answer, DeadlineError, NoAnswerError, exchange

log = logging.getLogger(__name__)
_LONGEST_PAUSE = 32
_GOOGLE = ("https://sheets.googleapis.com", "https://www.googleapis.com")


class Refused(Exception):  # noqa: N818 - an answer, not an error of the program
    """Google refused the request, and asking again would not change that.

    ``status`` is the HTTP status (0: no token was given), ``reason`` and ``message`` are Google's.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class _AskAgain(TransientFailure):
    """There was no answer, or one to ask again after. ``pause`` is Retry-After in seconds."""

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
    """gspread's connection to Google, with deadlines.

    ``request_seconds`` is the deadline of one request, from connecting to the last byte.
    ``retry_seconds`` is that of a request with all its retries and pauses. Both count for tokens
    too. ``base_url`` replaces Google's own addresses.
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
    ) -> Answer:
        """Send one request, and again while that may help.

        Raises Refused, or TransientFailure when ``retry_seconds`` are over.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(_AskAgain),
            wait=_pause,
            stop=stop_before_delay(self.retry_seconds),
            before_sleep=_log_pause,
            reraise=True,
        )
        parts = {"params": params, "data": data, "json": json}
        return retrying(self._once, method, self._address(endpoint), parts, dict(headers or {}))

    def _address(self, endpoint: str) -> str:
        for google in _GOOGLE:
            if self.base_url and endpoint.startswith(google):
                return self.base_url.rstrip("/") + endpoint.removeprefix(google)
        return endpoint

    def _once(
        self, method: str, url: str, parts: dict[str, Any], headers: dict[str, str]
    ) -> Answer:
        answer = self._send(method, url, parts | {"headers": headers | self._token()})
        if answer.status // 100 != 2:  # noqa: PLR2004
            raise _refused(answer)
        if not isinstance(answer.json(), dict):
            raise _AskAgain(f"an answer {answer.status} that is not JSON")
        return answer

    def _token(self) -> dict[str, str]:
        """Give the header with the token. Google's library would add look-ups of its own."""
        if not self.auth.valid:
            try:
                self.auth.refresh(_TokenTransport(self))  # type: ignore[no-untyped-call]
            except GoogleAuthError as error:
                # Its arguments have the whole answer of the token endpoint.
                message = str(error.args[0]) if error.args else type(error).__name__
                raise Refused(0, "TOKEN", message[:200]) from None
        headers: dict[str, str] = {}
        self.auth.apply(headers)  # type: ignore[no-untyped-call]
        return headers

    def _send(self, method: str, url: str, parts: dict[str, Any]) -> Answer:
        """One exchange within its deadline. Raises _AskAgain if asking again may help."""
        try:
            answer = exchange(method.upper(), url, seconds=self.request_seconds, **parts)
        except DeadlineError as error:
            raise _AskAgain(str(error)) from None
        except NoAnswerError as error:
            raise _AskAgain(f"the connection failed ({error})") from None
        if is_worth_retrying(answer.status):
            pause = asked_pause(answer.headers.get("retry-after", ""))
            raise _AskAgain(f"it answered {answer.status}", pause)
        return answer


class _TokenTransport(transport.Request):
    """Fetches tokens for google-auth, with the deadline and the retries of other requests."""

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
    ) -> Answer:
        # The library's own timeout is not used.
        parts = {"data": body, "headers": dict(headers or {})}
        return self._http._send(method, url, parts)


def _refused(answer: Answer) -> Refused:
    document = answer.json()
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return Refused(answer.status, "UNKNOWN", f"an answer of {len(answer.data)} bytes")
    details = [*error.get("details", ()), *error.get("errors", ())]
    reasons = [part["reason"] for part in details if isinstance(part, dict) and "reason" in part]
    reason = str(next(iter(reasons), error.get("status", "UNKNOWN")))
    return Refused(answer.status, reason, str(error.get("message", ""))[:500])


_growing = wait_random_exponential(max=_LONGEST_PAUSE)


def _pause(state: RetryCallState) -> float:
    """Wait as long as the server asks for, and a random time, so that clients come apart."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.pause if isinstance(error, _AskAgain) and error.pause else 0.0
    return asked + _growing(state)


def _log_pause(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("Google Sheets: %s; asking again in %.1f s", error, state.upcoming_sleep)

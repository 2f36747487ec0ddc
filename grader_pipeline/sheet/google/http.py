"""Requests to Google for gspread: address, token, deadline, and what is sent again.

429 (quota used up), 408, 5xx, dropped connections and missed deadlines are tried again, by this
module only: after the seconds of ``Retry-After`` and a growing random pause, until
``retry_seconds`` are over. Then a TransientFailure fails the run, and Dagster retries it. A write
that Google may have applied is not sent again: it raises :class:`LostAnswer`.
``failures.is_worth_retrying`` lists the statuses. A 401 is tried again once, with a fresh token:
Google may end a token early. All other refusals are raised at once as :class:`Refused`, and a 429
that lasts at the end; ``refusals`` says what each means and what to do.
"""

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import gspread
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from tenacity import RetryCallState, Retrying, stop_before_delay
from tenacity.retry import retry_if_exception_type, retry_if_not_exception_type
from tenacity.wait import wait_exception, wait_random_exponential

from grader_pipeline.failures import (
    PermanentFailure,
    TransientFailure,
    asked_pause,
    is_worth_retrying,
)
from grader_pipeline.resources.exchange import (
    Answer,
    CertificateError,
    DeadlineError,
    NoAnswerError,
    UnreachableError,
    exchange,
)

log = logging.getLogger(__name__)
_growing = wait_random_exponential(max=32)
_GOOGLE = ("https://sheets.googleapis.com", "https://www.googleapis.com")
_NO_TOKEN = 401
_QUOTA = 429


@dataclass(eq=False)
class Refused(Exception):  # noqa: N818 - an answer, not an error of the program
    """Google refused the request, and asking again now would not change that.

    ``status`` is the HTTP status (0: no token was given), ``reason`` and ``message`` are Google's.
    ``writing`` is whether the request was a write.
    """

    status: int
    reason: str
    message: str
    writing: bool = False


class _AskAgain(TransientFailure):
    """There was no answer, or one to ask again after. ``pause`` is Retry-After in seconds.

    ``answer`` is that answer, if there is one. ``unsent`` is whether Google has surely not done
    what was asked.
    """

    def __init__(
        self, what: str, pause: float = 0, answer: Answer | None = None, *, unsent: bool = False
    ) -> None:
        super().__init__(
            f"Google Sheets could not be reached in time: {what}. The sheet is as before, or "
            "already up to date. Run the day again later; twice does no harm."
        )
        self.what = what
        self.pause = pause
        self.answer = answer
        self.unsent = unsent or (answer is not None and answer.status == _QUOTA)

    def __str__(self) -> str:
        return self.what


class LostAnswer(_AskAgain):
    """A write was sent and not answered. Google may have applied it: read before writing again."""


class GoogleHTTP(gspread.HTTPClient):
    """gspread's connection to Google, with deadlines.

    ``request_seconds`` is the deadline of one request, from connecting to the last byte.
    ``retry_seconds`` is that of a request with all its retries and pauses. Both count for tokens
    too. ``base_url`` replaces Google's own addresses.
    """

    def __init__(
        self,
        credentials: Credentials,
        base_url: str | None,
        request_seconds: float,
        retry_seconds: float,
    ) -> None:
        super().__init__(credentials)
        self.base_url = base_url
        self.request_seconds = request_seconds
        self.retry_seconds = retry_seconds

    def request(self, method: str, endpoint: str, **parts: Any) -> Answer:  # type: ignore[override]  # noqa: ANN401
        """Send one request, and again while that may help. ``parts`` are those of ``exchange``.

        Raises Refused, TransientFailure when ``retry_seconds`` are over, or PermanentFailure if
        the server's certificate cannot be trusted.
        """
        for google in _GOOGLE:
            if self.base_url and endpoint.startswith(google):
                endpoint = self.base_url.rstrip("/") + endpoint.removeprefix(google)
        try:
            return self.retrying(_AskAgain, LostAnswer)(self._once, method, endpoint, parts)
        except _AskAgain as error:
            if error.answer is None or error.answer.status != _QUOTA:
                raise
            refused = _refused(error.answer, writing=method != "get")
        raise refused

    def retrying(self, kind: type[_AskAgain], other: type[_AskAgain] | None = None) -> Retrying:
        """Calls a function again while it raises this kind of failure, but not the other."""
        again = retry_if_exception_type(kind)
        return Retrying(
            retry=again & retry_if_not_exception_type(other) if other else again,
            # The pause that the server asks for, and a random one: clients must not ask at once.
            wait=wait_exception(lambda error: getattr(error, "pause", 0)) + _growing,
            stop=stop_before_delay(self.retry_seconds),
            before_sleep=_log_pause,
            reraise=True,
        )

    def _once(self, method: str, url: str, parts: dict[str, Any]) -> Answer:
        had_token = self.auth.valid
        answer = self._asked(method, url, parts)
        if answer.status == _NO_TOKEN and had_token:
            # The request was not carried out.
            self.auth.token = None
            answer = self._asked(method, url, parts)
        if answer.status // 100 != 2:  # noqa: PLR2004
            raise _refused(answer, writing=method != "get")
        if not isinstance(answer.json(), dict):
            kind = _AskAgain if method == "get" else LostAnswer
            raise kind(f"an answer {answer.status} that is not JSON")
        return answer

    def _asked(self, method: str, url: str, parts: dict[str, Any]) -> Answer:
        headers = self._token()
        try:
            return self._send(url, method, headers=headers, **parts)
        except _AskAgain as failure:
            if method == "get" or failure.unsent:
                raise
            raise LostAnswer(failure.what, failure.pause or 0) from None

    def _token(self) -> dict[str, str]:
        """Give the header with the token. Google's library would add look-ups of its own."""
        if not self.auth.valid:
            try:
                self.auth.refresh(self._fetch_token)  # type: ignore[no-untyped-call]
            except GoogleAuthError as error:
                # Its arguments have the whole answer of the token endpoint.
                message = str(error.args[0]) if error.args else type(error).__name__
                raise Refused(0, "TOKEN", message[:200]) from None
        headers: dict[str, str] = {}
        self.auth.apply(headers)  # type: ignore[no-untyped-call]
        return headers

    def _fetch_token(self, url: str, method: str = "GET", **asked: Any) -> Answer:  # noqa: ANN401
        """One exchange for google-auth. The library's own timeout is not used."""
        return self._send(url, method, data=asked.get("body"), headers=asked.get("headers"))

    def _send(self, url: str, method: str, **parts: Any) -> Answer:  # noqa: ANN401
        """One exchange within its deadline. Raises _AskAgain if asking again may help."""
        try:
            answer = exchange(method.upper(), url, seconds=self.request_seconds, **parts)
        except DeadlineError as error:
            raise _AskAgain(str(error)) from None
        except CertificateError as error:
            host = urlsplit(url).hostname
            raise PermanentFailure(
                f"The certificate of {host} cannot be trusted: {error}. The sheet was not touched. "
                "Check this machine's clock, its trusted certificates, and what stands between it "
                "and Google (a proxy, GOOGLE_SHEETS_API_URL)."
            ) from None
        except NoAnswerError as error:
            unsent = isinstance(error, UnreachableError)
            raise _AskAgain(f"the connection failed ({error})", unsent=unsent) from None
        if is_worth_retrying(answer.status):
            pause = asked_pause(answer.headers.get("retry-after", ""))
            raise _AskAgain(f"it answered {answer.status}", pause or 0, answer)
        return answer


def _refused(answer: Answer, *, writing: bool) -> Refused:
    document = answer.json()
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        error = {"message": f"an answer of {len(answer.data)} bytes"}
    details = [*error.get("details", ()), *error.get("errors", ())]
    reasons = [part["reason"] for part in details if isinstance(part, dict) and "reason" in part]
    reason = str(next(iter(reasons), error.get("status", "UNKNOWN")))
    return Refused(answer.status, reason, str(error.get("message", ""))[:500], writing)


def _log_pause(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("Google Sheets: %s; asking again in %.1f s", error, state.upcoming_sleep)

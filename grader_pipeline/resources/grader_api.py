"""The grader's HTTP API: a window of attempts in one flat JSON list.

Source: GRADER_API_URL with GRADER_API_CLIENT and GRADER_API_CLIENT_KEY. The key is sent in the
query, and servers repeat what they were asked. Failures have the answer's beginning without the
key, and no other error attached.
"""

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pyarrow as pa
from pydantic import Field
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from grader_pipeline import disk, full_disk
from grader_pipeline.attempts import response as responses
from grader_pipeline.failures import (
    PermanentFailure,
    TransientFailure,
    asked_pause,
    is_worth_retrying,
)
from grader_pipeline.in_thread import in_thread
from grader_pipeline.logs import without_secrets
from grader_pipeline.resources import exchange
from grader_pipeline.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Response:
    """A whole, well-formed answer. ``path`` (zstd) exists until the block ends.

    ``received`` is the number of elements. ``size`` (bytes) and ``sha256`` are those of the
    unpacked body.
    """

    path: Path
    received: int
    size: int
    sha256: str
    seconds: float


def api_place(settings: Settings) -> str:
    """The host of GRADER_API_URL, for Dagster's UI. Path and query may hold a key."""
    if settings.grader_api_url is None:
        return "GRADER_API_URL is not set"
    try:
        url = urlsplit(settings.grader_api_url)
        port = f":{url.port}" if url.port else ""
    except ValueError:
        return "GRADER_API_URL cannot be read"
    return f"{url.hostname or 'no host'}{port}"


class GraderApi(dg.ConfigurableResource["GraderApi"]):
    """The grader's HTTP API. GRADER_API_URL names it."""

    where: str = Field(default="", description="Its host. Requests go to GRADER_API_URL.")

    attempts: int = Field(
        default=4,
        description="How often a request is sent at most. Only what may pass is tried again.",
    )

    pause_seconds: float = Field(
        default=2.0, description="The first pause between tries. Each further one is twice as long."
    )

    longest_pause_seconds: float = Field(
        default=60, description="No pause is longer, whatever the server asks for."
    )

    longest_body: int = Field(
        default=4 * 1024**3,
        description="Bytes, unpacked (4 GiB). A longer answer is given up. A usual day has a "
        "thousandth of it.",
    )

    @property
    def url(self) -> str:
        """GRADER_API_URL. Raises PermanentFailure while it is unset."""
        url = Settings().grader_api_url
        if url is None:
            raise PermanentFailure(
                "GRADER_API_URL is not set. Set it with GRADER_API_CLIENT and "
                "GRADER_API_CLIENT_KEY, or start the sample with `grader-pipeline sample-api`."
            )
        return url

    @contextmanager
    def get_api_data(self, api_url: str, params: Mapping[str, str]) -> Iterator[Response]:
        """Ask ``api_url`` with ``params``, client and key, and keep the answer for the block.

        The answer is one whole JSON list in UTF-8. Its elements are not checked here.
        GRADER_API_TIMEOUT is the deadline of each request, from connecting to the last byte.

        Raises TransientFailure when all tries failed for reasons that may pass, PermanentFailure
        when asking again cannot help: the disk of TMPDIR is full, too.
        """
        tries = Retrying(
            retry=retry_if_exception_type(TransientFailure),
            stop=stop_after_attempt(self.attempts),
            wait=self._pause,
            before_sleep=_say_why,
            reraise=True,
        )
        with full_disk.temporary_folder("grader-response-") as folder:
            yield tries(self._ask, api_url, params, folder / "response.json.zst")

    def probe(self) -> str:
        """Ask for one second of attempts. Raises like ``get_api_data``, without retries."""
        second = {"start": "2023-05-31 09:16:11.000000", "end": "2023-05-31 09:16:11.999999"}
        with self.model_copy(update={"attempts": 1}).get_api_data(self.url, second) as answer:
            return f"answers in {answer.seconds:.1f} s"

    def _ask(self, url: str, params: Mapping[str, str], file: Path) -> Response:
        settings = Settings()
        key = settings.grader_api_client_key
        asked = {
            "client": settings.grader_api_client or "",
            "client_key": key.get_secret_value() if key else "",
            **params,
        }
        try:
            return self._download(url, asked, file, settings.grader_api_timeout)
        except (exchange.NoAnswerError, OSError, responses.NotAListError) as error:
            if isinstance(error, OSError) and disk.is_full(error):
                raise
            beginning = without_secrets(_beginning(file), settings)
            failure = _failure_for(error, settings.grader_api_timeout, beginning[:300])
        # Raised in the handler, it would have the error as its context.
        raise failure

    def _download(self, url: str, asked: Mapping[str, str], file: Path, seconds: float) -> Response:
        started = time.monotonic()
        size = received = 0
        digest, splitter = hashlib.sha256(), responses.Splitter()

        def count(piece: bytes) -> None:
            nonlocal received
            received += sum(map(len, splitter.feed(piece)))

        with (
            pa.CompressedOutputStream(str(file), "zstd") as out,
            in_thread(out.write) as give_to_keep,
            in_thread(digest.update) as give_to_hash,
            in_thread(count) as give_to_count,
        ):

            def take(piece: bytes) -> None:
                nonlocal size
                size += len(piece)
                if size > self.longest_body:
                    raise PermanentFailure(
                        f"The grader API's answer is larger than {self.longest_body:,} bytes "
                        "unpacked, and was given up. Check GRADER_API_URL."
                    )
                give_to_keep(piece)
                give_to_hash(piece)
                give_to_count(piece)

            answer = exchange.exchange("GET", url, seconds=seconds, params=asked, take=take)
        _refuse_status(answer)
        received += len(splitter.end())
        return Response(file, received, size, digest.hexdigest(), time.monotonic() - started)

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.pause if isinstance(error, TransientFailure) else None
        pause = max(asked or 0, self.pause_seconds * 2.0 ** (state.attempt_number - 1))
        return min(pause, self.longest_pause_seconds)


def _beginning(file: Path) -> str:
    """The beginning of an answer that is not a list, for the failure's text."""
    try:
        with responses.unpacked(file.open("rb")) as body:
            return body.read(10_000).decode(errors="replace").strip()
    except OSError:
        return ""


def _refuse_status(answer: exchange.Answer) -> None:
    status = answer.status
    if status == HTTPStatus.OK:
        return
    said = f"The grader API answered {status}."
    if is_worth_retrying(status):
        pause = asked_pause(answer.headers.get("retry-after", ""))
        raise TransientFailure(f"{said} It may recover; run the day again later.", pause)
    advice: dict[int, str] = {
        HTTPStatus.UNAUTHORIZED: "Check GRADER_API_CLIENT and GRADER_API_CLIENT_KEY.",
        HTTPStatus.FORBIDDEN: "Check GRADER_API_CLIENT, its key, and what it may read.",
        HTTPStatus.NOT_FOUND: "Check the path in GRADER_API_URL.",
    }
    raise PermanentFailure(f"{said} {advice.get(status, 'Check GRADER_API_URL.')}")


def _failure_for(error: Exception, seconds: float, beginning: str) -> dg.Failure:  # noqa: PLR0911 - a sentence each
    if isinstance(error, exchange.DeadlineError):
        return TransientFailure(
            f"The grader API gave no whole answer within {seconds:g} s (GRADER_API_TIMEOUT)."
        )
    if isinstance(error, exchange.AddressError):
        return PermanentFailure("GRADER_API_URL is not an address: write it as https://host/path.")
    if isinstance(error, exchange.CertificateError):
        return PermanentFailure(
            f"The certificate of the grader API cannot be trusted: {error}. Let its owners renew "
            "it, and check this machine's clock."
        )
    if isinstance(error, exchange.UnreachableError):
        return TransientFailure(
            "The grader API cannot be reached. Check that it is up, and the host in GRADER_API_URL."
        )
    if isinstance(error, responses.BrokenListError):
        return TransientFailure(f"The grader API's answer {error}. Nothing of it was kept.")
    if isinstance(error, responses.NotAListError):
        if beginning.startswith("{") and '"errors"' in beginning:
            return TransientFailure(f"The grader API answered with an error: {beginning}")
        if beginning.startswith("<"):
            return PermanentFailure(
                "The grader API answered with a web page, not with JSON. Check GRADER_API_URL."
            )
        return PermanentFailure(f"The grader API's answer {error}. Check GRADER_API_URL.")
    cause = error if isinstance(error, exchange.NoAnswerError) else type(error).__name__
    return TransientFailure(
        f"The answer of the grader API broke off ({cause}). Nothing of it was kept."
    )


def _say_why(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0
    log.warning("%s Trying again in %.0f s.", getattr(error, "description", error), pause)

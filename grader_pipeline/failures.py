"""Which failures are retried: those that are no :class:`PermanentFailure` and no blocking check.

Who raises a failure chooses its class. The daemon knows only a failed run's status and tags, and
would retry a wrong key as well as a dropped connection. So :func:`record_failure`, a hook on each
asset, tags the run: the same data would fail again. How often: ``max_retries`` in
``roles/dagster.yaml``.
"""

import datetime as dt
import logging
from email.utils import parsedate_to_datetime

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError

log = logging.getLogger(__name__)

RETRY_RUN_TAG = "dagster/retry_on_asset_or_op_failure"


class PermanentFailure(dg.Failure):
    """A failure that stays until somebody changes a setting, a right or the data. Not retried."""

    def __init__(self, description: str) -> None:
        super().__init__(description=description, allow_retries=False)


class TransientFailure(dg.Failure):
    """A failure that may pass: the other side is down, slow, or asks to wait. It is retried.

    ``pause`` is for how many seconds the other side asks to wait.
    """

    def __init__(self, description: str, pause: float | None = None) -> None:
        super().__init__(description=description, allow_retries=True)
        self.pause = pause


def is_worth_retrying(status: int) -> bool:
    """Whether the same HTTP request may succeed later: after 408, 429 and server errors."""
    return status in {408, 429} or 500 <= status < 600  # noqa: PLR2004


def asked_pause(retry_after: str) -> float | None:
    """The seconds of a ``Retry-After`` header, which has a number or a time. None if neither."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())


@dg.failure_hook(name="record_failure")
def record_failure(context: dg.HookContext) -> None:
    """Log why a step failed. Stop the daemon from retrying a failure that stays."""
    why = context.op_exception
    text = why.description if isinstance(why, dg.Failure) else f"{type(why).__name__}: {why}"
    log.error("%s failed: %s", context.op.name, text)
    if isinstance(why, PermanentFailure | DagsterAssetCheckFailedError):
        context.instance.add_run_tags(context.run_id, {RETRY_RUN_TAG: "false"})

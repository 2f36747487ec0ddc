"""Failures, and which of them another attempt may clear. The one place that decides it.

The daemon retries a failed run by its status and tags only, and would repeat a wrong key as
readily as a dropped connection. So :func:`tell_failure`, a hook on every asset, marks the run when
a step fails with a :class:`PermanentFailure` or a blocking check: the same data gives the same.

Texts are for whoever is woken by them: what happened, and what to do. They never carry a key, a
password or a learner's id.
"""

import datetime as dt
import logging
from email.utils import parsedate_to_datetime

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError

log = logging.getLogger(__name__)

RETRY_RUN_TAG = "dagster/retry_on_asset_or_op_failure"


class PermanentFailure(dg.Failure):
    """A failure that stays until somebody changes something: a setting, a right, the data."""

    def __init__(self, description: str) -> None:
        super().__init__(description=description, allow_retries=False)


class TransientFailure(dg.Failure):
    """A failure that time may clear: the other side is down, slow, or asks to wait."""

    def __init__(self, description: str) -> None:
        super().__init__(description=description, allow_retries=True)


def is_worth_retrying(status: int) -> bool:
    """Whether the same HTTP request may be answered otherwise in a while.

    Server errors, and the two client errors that ask for it: 408 and 429. Everything else says
    that the request itself is wrong.
    """
    return status in {408, 429} or 500 <= status < 600  # noqa: PLR2004


def asked_pause(retry_after: str) -> float | None:
    """Seconds that a ``Retry-After`` header asks for, as a number or as a moment; None without."""
    said = retry_after.strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())


@dg.failure_hook(name="tell_failure")
def tell_failure(context: dg.HookContext) -> None:
    """Log why a step failed, and keep the daemon from repeating what failed for good."""
    error = context.op_exception
    text = (
        error.description if isinstance(error, dg.Failure) else f"{type(error).__name__}: {error}"
    )
    log.error("%s failed: %s", context.op.name, text)
    if isinstance(error, PermanentFailure | DagsterAssetCheckFailedError):
        context.instance.add_run_tags(context.run_id, {RETRY_RUN_TAG: "false"})

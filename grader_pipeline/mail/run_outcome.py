"""How a run ended: its days, its final status, the cause of its failure.

Source: the events and tags in Dagster's storage. It does not matter how a run was started.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import dagster as dg

from grader_pipeline import checks
from grader_pipeline.failures import TransientFailure

PARTITION_TAG = "dagster/partition"
RETRY_TAG = "dagster/auto_retry_run_id"
"""Names the run that Dagster started in a failed run's place."""

MAIL_TAG = "grader/mail"
"""With the value ``none``, colleagues get no mail about a run, or about a backfill and its runs."""

RETRY_WAIT = dt.timedelta(minutes=5)
"""How long after the end of a failed run Dagster may take to start the retry that its tags name."""

# Values in an error text of a library that could identify a learner.
_PERSONAL = re.compile(r"\b[0-9a-fA-F]{32}\b|course-v1:\S+")
_VOLATILE = re.compile(r"\b[0-9a-f]{6,}\b|\d+", re.IGNORECASE)

FinalStatus = Literal["succeeded", "failed", "retried", "canceled"]

_CHECKS_FAILED = "DagsterAssetCheckFailedError"


@dataclass(frozen=True)
class FailureCause:
    """The step that failed, and why. Two runs with the same cause have the same fingerprint.

    For failed checks, ``text`` has what each check found. The fingerprint covers only their names,
    because what they find can change from run to run. ``may_pass``: time can clear the cause.
    """

    step: str
    text: str
    fingerprint: str
    checks: tuple[str, ...] = ()
    may_pass: bool = False


def days_of(run: dg.DagsterRun) -> list[dt.date]:
    """The days that a run was started for. Empty if it was started for no day."""
    if day := run.tags.get(PARTITION_TAG):
        return to_dates([day])
    tags = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    ends = to_dates(run.tags.get(tag, "") for tag in tags)
    if not ends:
        return []
    return [ends[0] + dt.timedelta(days=n) for n in range((ends[-1] - ends[0]).days + 1)]


def to_dates(keys: Iterable[str]) -> list[dt.date]:
    """The partition keys that are days. Others are left out."""
    found = []
    for key in keys:
        with suppress(ValueError):
            found.append(dt.date.fromisoformat(key))
    return found


def is_silent(tags: Mapping[str, str] | None) -> bool:
    """Whether the tags of a run or backfill say that colleagues get no mail about it."""
    return (tags or {}).get(MAIL_TAG, "").strip().lower() == "none"


def final_status(
    instance: dg.DagsterInstance, run: dg.DagsterRun, age: dt.timedelta
) -> FinalStatus | None:
    """How a run ended ``age`` ago. None as long as Dagster may still retry it, or while it runs.

    ``retried``: Dagster started another run in its place. The mail is about that run.
    """
    if run.status == dg.DagsterRunStatus.SUCCESS:
        return "succeeded"
    if run.status == dg.DagsterRunStatus.CANCELED:
        return "canceled"
    if run.status != dg.DagsterRunStatus.FAILURE:
        return None
    if run.tags.get(RETRY_TAG):
        return "retried"
    # Dagster writes the failure event, then this tag, then starts the retry.
    usual = "true" if instance.run_retries_enabled else "false"
    will_retry = run.tags.get("dagster/will_retry", usual)
    return None if will_retry == "true" and age < RETRY_WAIT else "failed"


def failure_cause(instance: dg.DagsterInstance, run_id: str) -> FailureCause:
    """The first failure of a failed run, with the text of the error or check."""
    kinds = {
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        dg.DagsterEventType.STEP_FAILURE,
        dg.DagsterEventType.RUN_FAILURE,
    }
    step, text, may_pass = "run", "The run failed and left no reason.", False
    found: dict[tuple[str | None, str], str] = {}
    for entry in instance.all_logs(run_id, of_type=kinds):
        event = entry.dagster_event
        if event is None:
            continue
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            evaluation = event.asset_check_evaluation_data
            if evaluation.blocking and not evaluation.passed:
                found[event.step_key, evaluation.check_name] = _check_text(evaluation)
            continue
        if event.is_step_failure:
            step, text = event.step_key or step, _step_text(event)
            may_pass = _may_pass(event)
            break
        text = event.message or text
    same = hashlib.sha256(f"{step} {_VOLATILE.sub('#', _presentable(text))}".encode())
    failed = {}
    if text.startswith(_CHECKS_FAILED):
        failed = {name: words for (at, name), words in found.items() if at == step}
        text = " ".join(failed.values()) or text
    return FailureCause(
        step, _presentable(text), same.hexdigest()[:12], tuple(failed), may_pass=may_pass
    )


def _may_pass(event: dg.DagsterEvent) -> bool:
    error = event.step_failure_data.error
    return error is not None and error.cls_name == TransientFailure.__name__


def _step_text(event: dg.DagsterEvent) -> str:
    failure = event.step_failure_data
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return failure.user_failure_data.description
    if failure.error is None:
        return event.message or "The step failed and left no reason."
    raised = failure.error.cause or failure.error
    # Dagster names the failed checks on the second line. Other errors may quote attempts there.
    lines = raised.message.strip().splitlines() or [raised.cls_name or ""]
    shown = lines if raised.cls_name == _CHECKS_FAILED else lines[:1]
    return re.sub(r"^(\w+\.)+(?=\w+:)", "", " ".join(shown))


def _check_text(evaluation: dg.AssetCheckEvaluation) -> str:
    """What a failed check found, and what its spec in :mod:`checks` expects."""
    expected = {spec.key: spec.description for spec in checks.specs()}
    rule = expected.get(evaluation.asset_check_key)
    words = (
        f"Check {evaluation.check_name} failed.",
        evaluation.description,
        rule and f"Expected: {rule}",
    )
    return " ".join(filter(None, words))


def _presentable(text: str) -> str:
    return _PERSONAL.sub("…", " ".join(text.split()))[:600]

"""The sensor that turns ended runs and backfills into mails, and delivers the mails.

Why it is a plain sensor, and why its cursor lags by LAG_SECONDS: docs/decisions/0001.
"""

import datetime as dt
import json
import logging
import time
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter

from grader_pipeline.mail import candidates, heartbeat, outbox
from grader_pipeline.mail.resource import Mail
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

SETTLE_SECONDS = 8
BEGIN_SECONDS = 12
"""How late in an evaluation a mail is begun. The evaluation then ends within 30 s."""

LAG_SECONDS = 120
_PAGE = 500
_End = Literal[
    dg.DagsterEventType.RUN_SUCCESS,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELED,
]
_ENDS: tuple[_End, ...] = get_args(_End)


@dataclass
class Cursor:
    """How far Dagster's history is known: an event id per event type, and a Unix time."""

    events: dict[str, int] = field(default_factory=dict)
    backfills: float = 0

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """Read a cursor. One that cannot be read is replaced by the beginning of history."""
        try:
            return cls(**json.loads(text or "{}"))
        except (ValueError, TypeError):
            log.warning("The mail sensor's cursor cannot be read. Reading all of Dagster's history")
            return cls()


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Mails colleagues that a day's report is ready, and owners that a run failed.",
)
def mail_sensor(
    context: dg.SensorEvaluationContext, postgres: Postgres, mail: Mail
) -> dg.SkipReason:
    """See, settle, deliver, beat. The skip reason says what was done; no run is ever started."""
    cursor, summary = evaluate(context.instance, postgres, mail, Cursor.parse(context.cursor))
    context.update_cursor(json.dumps(asdict(cursor)))
    return dg.SkipReason(summary)


def evaluate(
    instance: dg.DagsterInstance, postgres: Postgres, mail: Mail, cursor: Cursor
) -> tuple[Cursor, str]:
    """Evaluate the sensor once. Returns the next cursor, and a line about what was done.

    Raises ValidationError if a setting is wrong. What ended meanwhile is mailed when it is right.
    """
    start = time.monotonic()
    Settings()  # A wrong setting fails the evaluation before a mail is claimed.
    with postgres.transaction() as db:
        cursor = Cursor(_see_runs(db, instance, cursor), _see_backfills(db, instance, cursor))
    undecided = candidates.settle(instance, postgres, until=start + SETTLE_SECONDS)
    done = outbox.deliver(postgres, mail.send_mail, until=start + BEGIN_SECONDS)
    silent = heartbeat.beat(instance, postgres)
    with postgres.transaction() as db:
        not_sent = db.execute(statement("mail/not_sent")).fetchall()
    summary = [f"{done.sent} sent, {done.postponed} to be tried again."]
    if done.error:
        summary.append(done.error)
    if silent:
        summary.append(silent)
    if undecided:
        summary.append(f"No mail can be decided for {', '.join(undecided)}: see the log.")
    if waiting := [mail for mail in not_sent if mail["state"] == "queued"]:
        first = waiting[0]
        summary.append(f"{len(waiting)} after an error, the next at {first['next_attempt']} UTC.")
        if first["last_error"] != done.error:
            summary.append(first["last_error"])
    if failed := len(not_sent) - len(waiting):
        summary.append(f"{failed} could not be delivered: see `grader-pipeline mail list`.")
    return cursor, " ".join(summary)


def _see_runs(db: Connection, instance: dg.DagsterInstance, cursor: Cursor) -> dict[str, int]:
    settled_before = time.time() - LAG_SECONDS
    known = dict(cursor.events)
    # A kind that the cursor does not know yet: its earlier events were read, or an earlier release
    # left them unread. Ids count the events of all kinds.
    beginning = min(known.values(), default=0)
    for kind in _ENDS:
        after = known.get(kind.value, beginning)
        while True:
            later = dg.RunStatusChangeRecordsFilter(kind, after_storage_id=after)
            page = instance.fetch_run_status_changes(later, limit=_PAGE, ascending=True).records
            for record in page:
                candidates.see(db, "run", record.run_id, record.timestamp)
                after = record.storage_id
                if record.timestamp < settled_before:
                    known[kind.value] = max(known.get(kind.value, 0), after)
            if len(page) < _PAGE:
                break
    return known


def _see_backfills(db: Connection, instance: dg.DagsterInstance, cursor: Cursor) -> float:
    """Note backfills too: one can end without a run."""
    newest = cursor.backfills
    since = dt.datetime.fromtimestamp(max(0, newest - LAG_SECONDS), dt.UTC)
    for backfill in instance.get_backfills(filters=BulkActionsFilter(created_after=since)):
        candidates.see(db, "backfill", backfill.backfill_id, backfill.backfill_timestamp)
        newest = max(newest, backfill.backfill_timestamp)
    return newest

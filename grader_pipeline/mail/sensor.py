"""The sensor that turns ended runs and backfills into mails, and gets the mails delivered.

A plain sensor with a cursor of its own rather than Dagster's run status sensors: those forget a
run whose evaluation failed, and start at the moment they are first switched on.

The cursor lags on purpose. Event ids are given out before their transactions commit, so an id
below one already seen can still appear; the last minutes are read again each time. With no cursor
all of Dagster's history is read: occasions already settled stay so.
"""

import datetime as dt
import json
import logging
import time
from dataclasses import asdict, dataclass, field

import dagster as dg
from dagster._core.event_api import RunStatusChangeEventType
from dagster._core.execution.backfill import BulkActionsFilter

from grader_pipeline.mail import candidates, outbox
from grader_pipeline.mail.resource import Mail
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 10
DECIDE_SECONDS = 8
BEGIN_SECONDS = 12
"""No mail is begun later in a tick than this: with the longest attempt it stays under 30 s."""

LAG_SECONDS = 120
_PAGE = 500
_ENDS: tuple[RunStatusChangeEventType, ...] = (
    dg.DagsterEventType.RUN_SUCCESS,
    dg.DagsterEventType.RUN_FAILURE,
)


@dataclass
class Cursor:
    """How far Dagster's history is surely known: an event id per type of event, and a moment."""

    events: dict[str, int] = field(default_factory=dict)
    backfills: float = 0

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """Read a cursor; one that cannot be read begins at the beginning."""
        try:
            return cls(**json.loads(text or "{}"))
        except (ValueError, TypeError):
            log.warning("The mail sensor's cursor cannot be read; reading all of Dagster's history")
            return cls()

    def dump(self) -> str:
        """The cursor as the text that Dagster keeps."""
        return json.dumps(asdict(self))


@dg.sensor(
    name="mail_sensor",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Mails colleagues that a day's report is ready, and owners that a run failed.",
)
def mail_sensor(
    context: dg.SensorEvaluationContext, postgres: Postgres, mail: Mail
) -> dg.SkipReason:
    """Look, decide, deliver; say what came of it. Never starts a run."""
    cursor, said = tick(context.instance, postgres, mail, Cursor.parse(context.cursor))
    context.update_cursor(cursor.dump())
    return dg.SkipReason(said)


def tick(
    instance: dg.DagsterInstance, postgres: Postgres, mail: Mail, cursor: Cursor
) -> tuple[Cursor, str]:
    """One evaluation of the sensor: the cursor to go on from, and a line on what was done."""
    start = time.monotonic()
    with postgres.transaction() as db:
        cursor = Cursor(_see_runs(db, instance, cursor), _see_backfills(db, instance, cursor))
    puzzling = candidates.settle(instance, postgres, until=start + DECIDE_SECONDS)
    done = outbox.deliver(postgres, mail, until=start + BEGIN_SECONDS)
    with postgres.transaction() as db:
        undelivered = db.execute(statement("mail/undelivered")).fetchall()
    said = [f"{done.sent} sent, {done.postponed} to be tried again."]
    if done.error:
        said.append(done.error)
    if puzzling:
        said.append(f"Could not decide on {', '.join(puzzling)}: see the log.")
    if undelivered:
        said.append(f"{len(undelivered)} could not be delivered: see mail_outbox.last_error.")
    return cursor, " ".join(said)


def _see_runs(db: Connection, instance: dg.DagsterInstance, cursor: Cursor) -> dict[str, int]:
    settled_before = time.time() - LAG_SECONDS
    known = dict(cursor.events)
    for kind in _ENDS:
        after = known.get(kind.value, 0)
        while True:
            page = instance.fetch_run_status_changes(
                dg.RunStatusChangeRecordsFilter(kind, after_storage_id=after),
                limit=_PAGE,
                ascending=True,
            ).records
            for record in page:
                candidates.see(db, "run", record.run_id, record.timestamp)
                after = record.storage_id
                if record.timestamp < settled_before:
                    known[kind.value] = max(known.get(kind.value, 0), after)
            if len(page) < _PAGE:
                break
    return known


def _see_backfills(db: Connection, instance: dg.DagsterInstance, cursor: Cursor) -> float:
    """Note backfills by themselves too: one may end without ever having started a run."""
    newest = cursor.backfills
    since = dt.datetime.fromtimestamp(max(0, cursor.backfills - LAG_SECONDS), dt.UTC)
    for backfill in instance.get_backfills(filters=BulkActionsFilter(created_after=since)):
        candidates.see(db, "backfill", backfill.backfill_id, backfill.backfill_timestamp)
        newest = max(newest, backfill.backfill_timestamp)
    return newest

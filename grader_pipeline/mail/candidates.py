"""Mail candidates: runs and backfills that ended. Which mails each calls for is decided once.

A candidate is settled in the transaction that enqueues its mails. So the daemon may die at any
moment, and a candidate that is seen twice is settled once. The transaction sees one state of the
tables: the figures of a mail, and the days it names as waiting, are of the same moment.

- A run: :mod:`run_mails`. If Dagster retries a failed one, the retry calls for the mail instead.
- A backfill: one digest when it has ended and the days that it left behind are computed again,
  instead of its runs' mails (:mod:`backfill_mails`).
"""

import datetime as dt
import logging
import time
from collections.abc import Callable
from typing import Any

import dagster as dg
from pydantic import ValidationError

from grader_pipeline.mail import (
    backfill_mails,
    backfill_outcome,
    run_mails,
    run_outcome,
    sheet_writes,
)
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

REFRESH_WAIT = dt.timedelta(minutes=15)
"""How long after the end of a backfill its digest waits for the days to be computed again."""

_Decision = Callable[[Connection], None]
"""Enqueues the mails of a candidate in a transaction."""


def see(db: Connection, kind: str, identity: str, occurred_at: float) -> None:
    """Note a run or a backfill as a mail candidate. ``occurred_at`` is a Unix time."""
    moment = dt.datetime.fromtimestamp(occurred_at, dt.UTC)
    candidate = {"id": identity, "kind": kind, "occurred_at": moment}
    db.execute(statement("mail/see_candidate"), candidate)


def settle(instance: dg.DagsterInstance, postgres: Postgres, *, until: float) -> list[str]:
    """Settle the open candidates, oldest first, until ``until`` (of ``time.monotonic()``).

    As long as a failed run may still be retried, later runs of the same days wait. So nobody reads
    of a recovery before the failure.

    Returns the ids of the candidates that stay undecided because of an error, which is in the log.
    """
    with postgres.transaction() as db:
        candidates = db.execute(statement("mail/open_candidates")).fetchall()
    undecided: list[str] = []
    waiting: set[dt.date] = set()
    for candidate in candidates:
        if time.monotonic() >= until:
            break
        try:
            # The digest settles the runs of a backfill.
            if _is_settled(postgres, candidate["id"]):
                continue
            # Dagster's state is read before the tables: a day whose run ends in between is named as
            # unfinished, with the figures of after its end.
            if candidate["kind"] == "backfill":
                decision = _decide_backfill(instance, postgres, candidate["id"])
            else:
                decision = _decide_run(instance, postgres, candidate, waiting)
            if decision is None:
                continue
            with postgres.transaction() as db:
                db.execute(statement("mail/one_snapshot"))
                decision(db)
                db.execute(statement("mail/settle_candidate"), candidate)
        except (dg.Failure, ValidationError):  # of a setting: nothing can be decided
            raise
        except Exception:
            # One run must not stop the mails of the others. It stays open, and the sensor shows it.
            log.exception("No mail can be decided for %s %s", candidate["kind"], candidate["id"])
            undecided.append(candidate["id"])
    return undecided


def _decide_run(
    instance: dg.DagsterInstance,
    postgres: Postgres,
    candidate: dict[str, Any],
    waiting: set[dt.date],
) -> _Decision | None:
    run_id, age = candidate["id"], dt.datetime.now(dt.UTC) - candidate["occurred_at"]
    run = instance.get_run_by_id(run_id)
    if run is None:
        log.info("Run %s was deleted before its mail was decided", run_id)
        return lambda _: None
    days = run_outcome.days_of(run)
    backfill_id = backfill_outcome.backfill_of(instance, run)
    if backfill_id and not _is_settled(postgres, backfill_id):
        return lambda db: see(db, "backfill", backfill_id, time.time())
    status = None if waiting.intersection(days) else run_outcome.final_status(instance, run, age)
    if status is None:
        if age < run_outcome.RETRY_WAIT:
            waiting.update(days)
        return None
    writes = sheet_writes.writes_of(instance, run_id)
    unfinished = sheet_writes.unfinished_days(instance, {write.day for write in writes})
    return lambda db: run_mails.decide(db, instance, run, status, writes, unfinished)


def _decide_backfill(
    instance: dg.DagsterInstance, postgres: Postgres, backfill_id: str
) -> _Decision | None:
    backfill = backfill_outcome.ended_backfill(instance, backfill_id)
    if backfill is None:
        return None
    if not backfill.is_silent and time.time() - backfill.ended < REFRESH_WAIT.total_seconds():
        # Figures that the job refresh computes again in a moment are no news.
        if sheet_writes.is_refreshing(instance):
            return None
        with postgres.transaction() as db:
            if waiting_days(db, only_outdated=True):
                return None
    days = backfill.touched.union(backfill.written)
    unfinished = sheet_writes.unfinished_days(instance, days)
    return lambda db: backfill_mails.decide(db, instance, backfill_id, backfill, unfinished)


def _is_settled(postgres: Postgres, identity: str) -> bool:
    with postgres.transaction() as db:
        row = db.execute(statement("mail/is_settled"), {"id": identity}).fetchone()
    return bool(row and row["value"])

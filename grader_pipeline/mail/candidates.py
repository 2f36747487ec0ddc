"""Mail candidates: runs and backfills that ended. Which mails each calls for is decided once.

A candidate is settled in the transaction that enqueues its mails. So the daemon may die at any
moment, and a candidate that is seen twice is settled once.

- A successful run: a mail to MAIL_TO for each day that it wrote to the sheet.
- A failed run: a mail to MAIL_ON_FAILURE_TO, once per day and cause. If Dagster retries it, the
  retry calls for the mail instead. When a later run writes the day to the sheet, one mail says so.
  A failed run of no day or of several days has no such later run: each one calls for a mail.
- A backfill: one digest when it has ended, instead of the mails of its runs.
"""

import datetime as dt
import logging
import time
from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import ValidationError

from grader_pipeline.mail import letter, outbox, run_outcome
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.reports.day_metrics import read_day, read_main_numbers
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)


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
            with postgres.transaction() as db:
                # The digest settles the runs of a backfill.
                if _value(db, "mail/is_settled", id=candidate["id"]):
                    continue
                if candidate["kind"] == "backfill":
                    is_settled = _settle_backfill(db, instance, candidate["id"])
                else:
                    is_settled = _settle_run(db, instance, candidate, waiting)
                if is_settled:
                    db.execute(statement("mail/settle_candidate"), candidate)
        except (dg.Failure, ValidationError):  # of a setting: nothing can be decided
            raise
        except Exception:
            # One run must not stop the mails of the others. It stays open, and the sensor shows it.
            log.exception("No mail can be decided for %s %s", candidate["kind"], candidate["id"])
            undecided.append(candidate["id"])
    return undecided


def _settle_run(
    db: Connection, instance: dg.DagsterInstance, candidate: dict[str, Any], waiting: set[dt.date]
) -> bool:
    run_id, age = candidate["id"], dt.datetime.now(dt.UTC) - candidate["occurred_at"]
    run = instance.get_run_by_id(run_id)
    if run is None:
        log.info("Run %s was deleted before its mail was decided", run_id)
        return True
    days = run_outcome.days_of(run)
    backfill_id = run.tags.get(run_outcome.BACKFILL_TAG)
    if backfill_id and not _value(db, "mail/is_settled", id=backfill_id):
        see(db, "backfill", backfill_id, time.time())
        return True
    status = None if waiting.intersection(days) else run_outcome.final_status(instance, run, age)
    if status is None:
        if age < run_outcome.RETRY_WAIT:
            waiting.update(days)
        return False
    if status == "succeeded":
        _enqueue_success(db, instance, run_id)
    elif status == "failed":
        _enqueue_failure(db, run_id, days, run_outcome.failure_cause(instance, run_id))
    return True


def _enqueue_success(db: Connection, instance: dg.DagsterInstance, run_id: str) -> None:
    days, url = run_outcome.sheet_days(instance, run_id)
    links = _links(f"runs/{run_id}", url)
    for day in days:
        outbox.enqueue(
            db,
            letter.success(read_day(db, day), links),
            key=f"success:{day}:{run_id}",
            candidate=run_id,
            to=Settings().mail_to,
            report_date=day,
        )
        _enqueue_recovery(db, day, run_id, links)


def _enqueue_failure(
    db: Connection, run_id: str, days: list[dt.date], cause: run_outcome.FailureCause
) -> None:
    day = days[0] if len(days) == 1 else None
    what = f"{day}:{_episode(db, day)}:{cause.fingerprint}" if day else f":{run_id}"
    outbox.enqueue(
        db,
        letter.failure(days, cause.step, cause.text, _links(f"runs/{run_id}")),
        key=f"failure:{what}",
        candidate=run_id,
        to=_owners(),
        report_date=day,
    )


def _enqueue_recovery(db: Connection, day: dt.date, candidate: str, links: letter.Links) -> None:
    """Enqueue one recovery mail to the owners if a failure of the day was mailed."""
    episode = _episode(db, day)
    if _value(db, "mail/is_enqueued", key=f"failure:{day}:{episode}:"):
        outbox.enqueue(
            db,
            letter.recovered(day, links),
            key=f"recovered:{day}:{episode}",
            candidate=candidate,
            to=_owners(),
            report_date=day,
        )


def _settle_backfill(db: Connection, instance: dg.DagsterInstance, backfill_id: str) -> bool:
    ended = run_outcome.ended_backfill(instance, backfill_id)
    if ended is None:
        return False
    runs, wanted = ended
    done: set[dt.date] = set()
    written: set[dt.date] = set()
    failures: dict[dt.date, run_outcome.FailureCause] = {}
    sheet_url = None
    for run in runs:
        if run.status == dg.DagsterRunStatus.SUCCESS:
            reported, url = run_outcome.sheet_days(instance, run.run_id)
            written.update(reported)
            done.update(reported, run_outcome.days_of(run))
            sheet_url = sheet_url or url
        elif run.status == dg.DagsterRunStatus.FAILURE:
            for day in run_outcome.days_of(run):
                failures.setdefault(day, run_outcome.failure_cause(instance, run.run_id))
        if run.is_finished:
            now = dt.datetime.now(dt.UTC)
            candidate = {"id": run.run_id, "kind": "run", "occurred_at": now}
            db.execute(statement("mail/settle_candidate"), candidate)
    failed = _by_cause({day: cause for day, cause in failures.items() if day not in done})
    missing = sorted(set(wanted) - done - set(failures))
    links = _links(f"runs/b/{backfill_id}", sheet_url)
    days = sorted(written)
    colleagues = Settings().mail_to if written else ()
    owners = _owners() if failed or missing else ()
    if written or failed or missing:
        outbox.enqueue(
            db,
            letter.digest(read_main_numbers(db, days), days, failed, missing, links),
            key=f"backfill:{backfill_id}",
            candidate=backfill_id,
            to=[*colleagues, *owners],
        )
    for day in days:
        _enqueue_recovery(db, day, backfill_id, links)
    return True


def _by_cause(failures: dict[dt.date, run_outcome.FailureCause]) -> list[letter.FailedDays]:
    found: dict[str, letter.FailedDays] = {}
    for day in sorted(failures):
        cause = failures[day]
        same = letter.FailedDays([], f"{cause.step}: {cause.text}")
        found.setdefault(cause.fingerprint, same).days.append(day)
    return list(found.values())


def _episode(db: Connection, day: dt.date) -> int:
    """The number of the day's current episode, from 1. A recovery mail ends an episode."""
    return 1 + _value(db, "mail/count_recoveries", key=f"recovered:{day}:")


def _value(db: Connection, name: str, **given: str) -> int:
    row = db.execute(statement(name), given).fetchone()
    return int(row["value"]) if row else 0


def _owners() -> Sequence[Mailbox]:
    return Settings().mail_on_failure_to or Settings().mail_to


def _links(page: str, sheet_url: str | None = None) -> letter.Links:
    settings = Settings()
    if sheet_url is None and settings.google_sheets_credentials and settings.google_sheets_id:
        sheet_url = f"https://docs.google.com/spreadsheets/d/{settings.google_sheets_id}"
    ui = settings.dagster_ui_url
    return letter.Links(
        sheet=settings.google_sheets_name if sheet_url else settings.workbook.name,
        sheet_url=sheet_url,
        run_url=f"{ui.rstrip('/')}/{page}" if ui else None,
    )

"""The digest of a backfill.

What it says of a day comes from the tables and from what runs wrote to the sheet since the backfill
began, whoever started them. The backfill's runs only say why a day has no report. When such a day
gets one later, its run mails it (:mod:`run_mails`).
"""

import datetime as dt
from collections.abc import Collection
from functools import partial
from typing import Any

import dagster as dg

from grader_pipeline.mail import course_mails, mailed, outbox, run_mails, run_outcome, weekly
from grader_pipeline.mail.addressing import colleagues, links_to, owners
from grader_pipeline.mail.backfill_outcome import Backfill, BackfillRun
from grader_pipeline.mail.digest import FailedDays, Outcome, digest
from grader_pipeline.reports.day_metrics import days_that_wait, read_main_numbers
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement


def decide(
    db: Connection,
    instance: dg.DagsterInstance,
    backfill_id: str,
    backfill: Backfill,
    unfinished: Collection[dt.date],
) -> None:
    """Enqueue the digest, and settle the runs of the backfill that have ended.

    Owners read also why days failed, so they have one of their own if some did.

    ``unfinished`` are days that runs work on. The rest is read in the caller's transaction.
    """
    _settle_runs(db, backfill)
    outcome = _outcome(db, instance, backfill)
    touched = backfill.touched.union(outcome.reported)
    changes = mailed.changes(db, touched)
    links = links_to(f"runs/b/{backfill_id}", backfill.url)
    has_news = not backfill.is_silent and bool(outcome.reported or changes)
    has_trouble = bool(outcome.failed or (outcome.missing() and not backfill.is_silent))
    if outcome.days() and (has_news or has_trouble):
        waiting = days_that_wait(db, {*outcome.reported, *changes}, unfinished)
        numbers = read_main_numbers(db, outcome.reported)
        said = partial(digest, numbers, outcome, changes, waiting, links)
        to_owners = owners() if has_trouble else ()
        to_colleagues = [mailbox for mailbox in colleagues() if mailbox not in to_owners]
        if has_trouble:
            key = f"backfill_trouble:{backfill_id}"
            outbox.enqueue(db, said(to_owners=True), key=key, candidate=backfill_id, to=to_owners)
        if has_news and (to_colleagues or not has_trouble):
            key = f"backfill:{backfill_id}"
            outbox.enqueue(db, said(), key=key, candidate=backfill_id, to=to_colleagues)
        failed = [day for day in outcome.missing() if day not in outcome.running]
        mailed.note_missing(db, failed, to_colleagues=has_news)
        mailed.note_missing(db, outcome.running, to_colleagues=has_news, is_failed=False)
    elif has_news:
        run_mails.enqueue_changes(db, backfill_id, changes, unfinished, links)
    if backfill.is_silent:
        course_mails.note_changes(db, touched)
    else:
        with run_mails.beside(db, "weekly mail"):
            weekly.enqueue(db, backfill_id, outcome.reported, unfinished, links)
        with run_mails.beside(db, "mail to MAIL_COURSES"):
            course_mails.enqueue_changes(db, backfill_id, touched, links)
            course_mails.enqueue_digest(db, backfill_id, outcome.reported, unfinished, links)
    mailed.note_reported(db, outcome.reported)
    mailed.note_metrics(db, changes)
    run_mails.enqueue_recovery(db, backfill_id, outcome.reported, links)


def _settle_runs(db: Connection, backfill: Backfill) -> None:
    for each in backfill.runs:
        # A run that goes on has a mail of its own when it has ended.
        if each.status is not None:
            now = dt.datetime.now(dt.UTC)
            settled = {"id": each.run.run_id, "kind": "run", "occurred_at": now}
            db.execute(statement("mail/settle_candidate"), settled)


def _outcome(db: Connection, instance: dg.DagsterInstance, backfill: Backfill) -> Outcome:
    latest: dict[dt.date, BackfillRun] = {}
    for each in backfill.runs:
        if each.status != "retried":
            for day in run_outcome.days_of(each.run):
                latest.setdefault(day, each)
    days = sorted({*backfill.days, *latest})
    in_tables = _days(db, "mail/days_with_metrics", days=days)
    runs = [each.run.run_id for each in backfill.runs]
    loaded = _days(db, "mail/days_loaded_by", days=days, runs=runs)
    outcome = Outcome()
    causes: dict[dt.date, run_outcome.FailureCause] = {}
    for day in days:
        last = latest.get(day)
        status = last.status if last else "not run"
        is_written = day in backfill.written and day in in_tables
        is_older = last is None or last.at < backfill.written.get(day, 0)
        if is_written and (is_older or status in ("succeeded", "canceled")):
            outcome.reported.append(day)
        elif status is None:
            outcome.running.append(day)
        elif last and status == "failed":
            causes[day] = run_outcome.failure_cause(instance, last.run.run_id)
        elif day in backfill.written or (status == "canceled" and day in loaded):
            outcome.unreported.append(day)
        elif status in ("canceled", "not run"):
            outcome.not_run.append(day)
    outcome.failed.extend(_by_cause(causes))
    return outcome


def _by_cause(causes: dict[dt.date, run_outcome.FailureCause]) -> list[FailedDays]:
    found: dict[str, FailedDays] = {}
    for day, cause in sorted(causes.items(), key=lambda pair: pair[0]):
        same = FailedDays([], cause)
        found.setdefault(cause.fingerprint, same).days.append(day)
    return list(found.values())


def _days(db: Connection, name: str, **given: list[Any]) -> set[dt.date]:
    return {row["report_date"] for row in db.execute(statement(name), given).fetchall()}

"""The mails of one run, by what it wrote to the sheet and by what earlier mails said.

- To colleagues, about a day whose report they do not know: the report.
- To colleagues, about days whose report they know: which metrics are other numbers now. One mail.
- The week that ends with a Sunday (:mod:`weekly`), and to those of MAIL_COURSES their courses
  (:mod:`course_mails`).
- To the owners: that the run failed, once per day, episode and cause; and one mail when the report
  of a day that they know as failed is written.

A run writes its own day, and refreshes others. Only the day's own run can say that a day which
failed is there.
"""

import datetime as dt
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import dagster as dg
from pydantic import ValidationError

from grader_pipeline.mail import (
    attention,
    check_warnings,
    course_mails,
    daily,
    failure,
    mailed,
    outbox,
    run_outcome,
    sheet_writes,
    weekly,
)
from grader_pipeline.mail.addressing import colleagues, links_to, owners
from grader_pipeline.mail.check_warnings import CheckWarning
from grader_pipeline.mail.digest import Outcome, digest
from grader_pipeline.mail.message import Links, Message
from grader_pipeline.reports.day_metrics import (
    Changes,
    days_that_wait,
    read_day,
    read_main_numbers,
)
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)


def decide(
    db: Connection,
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    status: run_outcome.FinalStatus,
    writes: Sequence[sheet_writes.SheetWrite],
    unfinished: Collection[dt.date],
) -> None:
    """Enqueue the mails of a run that ended with ``status``.

    ``unfinished`` are days that other runs work on. The rest is read in the caller's transaction.
    """
    run_id, own = run.run_id, run_outcome.days_of(run)
    # A run that failed says nothing about its own day but that. Its retry, or a later run, does.
    is_whole = status in ("succeeded", "canceled")
    days = sorted({write.day for write in writes if is_whole or write.day not in own})
    urls = [write.url for write in writes if write.url]
    links = links_to(f"runs/{run_id}", urls[-1] if urls else None)
    if status == "failed":
        _enqueue_failure(db, run_id, own, run_outcome.failure_cause(instance, run_id))
    known: dict[str, list[dt.date]] = {"new": [], "reported": [], "missing": []}
    for day, said in mailed.said(db, days).items():
        known[_known_as(db, instance, run_id, day, said, day in own, is_whole)].append(day)
    changes = mailed.changes(db, [*known["reported"], *known["missing"]])
    if not run_outcome.is_silent(run.tags):
        new = [day for day in known["new"] if day in own]
        checks = check_warnings.of_run(instance, run) if new else ()
        _enqueue_reports(db, run_id, new, unfinished, links, checks)
        others = [day for day in known["new"] if day not in own]
        _enqueue_others(db, run_id, others, unfinished, links)
        enqueue_changes(db, run_id, changes, unfinished, links)
        with beside(db, "weekly mail"):
            weekly.enqueue(db, run_id, known["new"], unfinished, links)
        with beside(db, "mail to MAIL_COURSES"):
            course_mails.enqueue_reports(db, run_id, new, unfinished, links)
            course_mails.enqueue_changes(db, run_id, known["reported"], links)
            course_mails.enqueue_digest(db, run_id, others, unfinished, links)
    else:
        course_mails.note_changes(db, known["reported"])
    mailed.note_reported(db, [*known["new"], *known["reported"]])
    mailed.note_metrics(db, changes)
    enqueue_recovery(db, run_id, [day for day in days if day in own], links)


@contextmanager
def beside(db: Connection, what: str) -> Iterator[None]:
    """What comes beside a mail. An error in it is logged, and the mail itself goes out."""
    try:
        with db.transaction():
            yield
    except (dg.Failure, ValidationError):  # of a setting
        raise
    except Exception:
        log.exception("No %s can be made", what)


def enqueue_changes(
    db: Connection,
    candidate: str,
    changes: Changes,
    unfinished: Collection[dt.date],
    links: Links,
) -> None:
    """Enqueue one mail to colleagues about all days whose metrics changed, if there are any."""
    if changes:
        outbox.enqueue(
            db,
            daily.changed(changes, days_that_wait(db, changes, unfinished), links),
            key=f"changed:{candidate}",
            candidate=candidate,
            to=colleagues(),
            report_date=next(iter(changes)) if len(changes) == 1 else None,
        )


def enqueue_recovery(db: Connection, candidate: str, days: Sequence[dt.date], links: Links) -> None:
    """Enqueue one mail to the owners about those of ``days`` that they know as failed."""
    if ended := mailed.end_episodes(db, days):
        outbox.enqueue(
            db,
            failure.recovered(ended, links),
            key=f"recovered:{candidate}",
            candidate=candidate,
            to=owners(),
            report_date=ended[0] if len(ended) == 1 else None,
        )


def _known_as(
    db: Connection,
    instance: dg.DagsterInstance,
    run_id: str,
    day: dt.date,
    said: mailed.Said,
    is_own: bool,
    is_whole: bool,
) -> Literal["new", "reported", "missing"]:
    """How colleagues know a day that the run wrote.

    new: not yet. reported: its report is there. missing: not yet, and this run cannot say so.
    """
    if said.is_reported:
        return "reported"
    if not is_own and (said.is_failed or said.is_reported is False or not is_whole):
        return "missing"
    if said.is_reported is False:
        return "new"
    # An earlier release mailed what its successful runs wrote, and did not note it here.
    writers = {"ids": sheet_writes.other_writers(instance, day, run_id)}
    row = db.execute(statement("mail/is_one_settled"), writers).fetchone()
    return "reported" if row and row["value"] else "new"


def _enqueue_reports(
    db: Connection,
    run_id: str,
    days: Sequence[dt.date],
    unfinished: Collection[dt.date],
    links: Links,
    checks: Sequence[CheckWarning] = (),
) -> None:
    for day in days:
        outbox.enqueue(
            db,
            ready(db, day, days_that_wait(db, [day], unfinished), links, checks),
            key=f"success:{day}:{run_id}",
            candidate=run_id,
            to=colleagues(),
            report_date=day,
        )


def ready(
    db: Connection,
    day: dt.date,
    waiting: Sequence[dt.date],
    links: Links,
    checks: Sequence[CheckWarning],
) -> Message:
    """What the mail of a day says. ``checks`` are those that warned in its run."""
    report = read_day(db, day)
    warnings: list[str] = []
    with beside(db, "sentence about what to look at"):
        warnings = attention.of_day(attention.Shown(db, day), checks, report.accounting)
    return daily.ready(report, warnings, waiting, links)


def _enqueue_others(
    db: Connection,
    run_id: str,
    days: Sequence[dt.date],
    unfinished: Collection[dt.date],
    links: Links,
) -> None:
    """The reports of days that the run was not started for: there can be hundreds."""
    if len(days) <= 1:
        _enqueue_reports(db, run_id, days, unfinished, links)
        return
    outcome = Outcome(reported=list(days))
    waiting = days_that_wait(db, days, unfinished)
    outbox.enqueue(
        db,
        digest(read_main_numbers(db, days), outcome, {}, waiting, links),
        key=f"digest:{run_id}",
        candidate=run_id,
        to=colleagues(),
    )


def _enqueue_failure(
    db: Connection, run_id: str, days: list[dt.date], cause: run_outcome.FailureCause
) -> None:
    day = days[0] if len(days) == 1 else None
    what = f"{day}:{mailed.episode(db, day)}:{cause.fingerprint}" if day else f":{run_id}"
    outbox.enqueue(
        db,
        failure.failed(days, cause, links_to(f"runs/{run_id}"), was_reported=_is_reported(db, day)),
        key=f"failure:{what}",
        candidate=run_id,
        to=owners(),
        report_date=day,
    )
    if day:
        mailed.note_missing(db, [day], to_colleagues=False)


def _is_reported(db: Connection, day: dt.date | None) -> bool:
    return bool(day and mailed.said(db, [day])[day].is_reported)

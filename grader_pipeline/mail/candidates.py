"""What calls for a mail: runs and backfills that ended, each decided on exactly once.

Whatever Dagster reports is first noted in ``mail_occasion``, then settled in the transaction that
enqueues its mails. So nothing depends on the sensor's cursor being exact, or on the moment at
which the daemon dies; an occasion seen twice is settled once.

- A successful run: a mail to MAIL_TO for each day whose report it wrote.
- A failed run: a mail to MAIL_ON_FAILURE_TO, once per day and cause; a run that Dagster retries
  by itself leaves that to the retry. When the day's report is written after all, one mail says so.
  A run of no day or of several can have no such end, so each one that fails is told.
- A backfill: one digest when it has ended, instead of its runs' mails.
"""

import datetime as dt
import logging
import time

import dagster as dg

from grader_pipeline.mail import letter, outbox
from grader_pipeline.mail.run_outcome import (
    BACKFILL_TAG,
    PATIENCE,
    Cause,
    cause_of,
    days_of,
    ended_backfill,
    fate,
    reported,
)
from grader_pipeline.reports.day import read_day, read_main_numbers
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)


def see(db: Connection, kind: str, identity: str, occurred_at: float) -> None:
    """Note a run or backfill that may call for a mail, with its Unix time."""
    given = {
        "id": identity,
        "kind": kind,
        "occurred_at": dt.datetime.fromtimestamp(occurred_at, dt.UTC),
    }
    db.execute(statement("mail/see_occasion"), given)


def settle(instance: dg.DagsterInstance, postgres: Postgres, *, until: float) -> list[str]:
    """Decide what can be decided, in order, until ``until`` (of ``time.monotonic()``).

    While it is open whether a failed run will be retried, what came later for the same days waits,
    so that nobody reads of a recovery before the failure. Returns the ids of those that could not
    be decided on because of an error, which is in the log.
    """
    with postgres.transaction() as db:
        occasions = db.execute(statement("mail/open_occasions")).fetchall()
    puzzling: list[str] = []
    held: set[dt.date] = set()
    for occasion in occasions:
        if time.monotonic() >= until:
            break
        age = dt.datetime.now(dt.UTC) - occasion["occurred_at"]
        try:
            with postgres.transaction() as db:
                if _is_settled(db, occasion["id"]):  # a digest speaks for its runs
                    continue
                if occasion["kind"] == "backfill":
                    is_settled = _settle_backfill(db, instance, occasion["id"])
                else:
                    is_settled = _settle_run(db, instance, occasion["id"], age, held)
                if is_settled:
                    db.execute(statement("mail/settle_occasion"), occasion)
        except dg.Failure:
            raise
        except Exception:
            # One odd run must not keep everybody else's mails back; it stays open and is shown.
            log.exception("No mail could be decided on for %s %s", occasion["kind"], occasion["id"])
            puzzling.append(occasion["id"])
    return puzzling


def _settle_run(
    db: Connection,
    instance: dg.DagsterInstance,
    run_id: str,
    age: dt.timedelta,
    held: set[dt.date],
) -> bool:
    run = instance.get_run_by_id(run_id)
    if run is None:
        log.info("Run %s was deleted before a mail was decided on", run_id)
        return True
    days = days_of(run)
    backfill_id = run.tags.get(BACKFILL_TAG)
    if backfill_id and not _is_settled(db, backfill_id):
        see(db, "backfill", backfill_id, time.time())
        return True
    ended = "open" if held.intersection(days) else fate(instance, run, age)
    if ended == "open":
        if age < PATIENCE:
            held.update(days)
        return False
    if ended == "succeeded":
        _report_success(db, instance, run_id)
    elif ended == "failed":
        _report_failure(db, run_id, days, cause_of(instance, run_id))
    return True


def _report_success(db: Connection, instance: dg.DagsterInstance, run_id: str) -> None:
    settings = Settings()
    written = reported(instance, run_id)
    links = _links(settings, f"runs/{run_id}", written.sheet_url)
    for day in written.days:
        outbox.enqueue(
            db,
            letter.success(read_day(db, day), links),
            key=f"success:{day}:{run_id}",
            kind="success",
            occasion=run_id,
            to=settings.mail_to,
            report_date=day,
        )
        _report_recovery(db, day, run_id, links)


def _report_failure(db: Connection, run_id: str, days: list[dt.date], cause: Cause) -> None:
    settings = Settings()
    day = days[0] if len(days) == 1 else None
    trouble = f"{day}:{_episode(db, day)}:{cause.fingerprint}" if day else f":{run_id}"
    outbox.enqueue(
        db,
        letter.failure(days, cause.step, cause.text, _links(settings, f"runs/{run_id}")),
        key=f"failure:{trouble}",
        kind="failure",
        occasion=run_id,
        to=settings.mail_on_failure_to or settings.mail_to,
        report_date=day,
    )


def _report_recovery(db: Connection, day: dt.date, occasion: str, links: letter.Links) -> None:
    """Tell the owners once that a day whose failure was mailed is well."""
    settings = Settings()
    episode = _episode(db, day)
    if not _answer(db, "mail/is_enqueued", key=f"failure:{day}:{episode}:"):
        return
    outbox.enqueue(
        db,
        letter.recovered(day, links),
        key=f"recovered:{day}:{episode}",
        kind="recovered",
        occasion=occasion,
        to=settings.mail_on_failure_to or settings.mail_to,
        report_date=day,
    )


def _settle_backfill(db: Connection, instance: dg.DagsterInstance, backfill_id: str) -> bool:
    ended = ended_backfill(instance, backfill_id)
    if ended is None:
        return False
    runs, wanted = ended
    settings = Settings()
    done: set[dt.date] = set()
    written: set[dt.date] = set()
    failures: dict[dt.date, Cause] = {}
    url = None
    for run in runs:
        if run.status == dg.DagsterRunStatus.SUCCESS:
            result = reported(instance, run.run_id)
            written.update(result.days)
            done.update(result.days, days_of(run))
            url = url or result.sheet_url
        elif run.status == dg.DagsterRunStatus.FAILURE:
            for day in days_of(run):
                failures.setdefault(day, cause_of(instance, run.run_id))
        if run.is_finished:
            now = dt.datetime.now(dt.UTC)
            occasion = {"id": run.run_id, "kind": "run", "occurred_at": now}
            db.execute(statement("mail/settle_occasion"), occasion)
    failed = _by_cause({day: cause for day, cause in failures.items() if day not in done})
    missing = sorted(set(wanted) - done - set(failures))
    links = _links(settings, f"runs/b/{backfill_id}", url)
    owners = settings.mail_on_failure_to or settings.mail_to
    if written or failed or missing:
        days = sorted(written)
        outbox.enqueue(
            db,
            letter.digest(read_main_numbers(db, days), days, failed, missing, links),
            key=f"backfill:{backfill_id}",
            kind="backfill",
            occasion=backfill_id,
            to=[*(settings.mail_to if written else ()), *(owners if failed or missing else ())],
        )
    for day in sorted(written):
        _report_recovery(db, day, backfill_id, links)
    return True


def _by_cause(failures: dict[dt.date, Cause]) -> list[letter.Failed]:
    days: dict[str, list[dt.date]] = {}
    text: dict[str, str] = {}
    for day, cause in sorted(failures.items()):
        days.setdefault(cause.fingerprint, []).append(day)
        text.setdefault(cause.fingerprint, f"{cause.step}: {cause.text}")
    return [letter.Failed(tuple(found), text[same]) for same, found in days.items()]


def _episode(db: Connection, day: dt.date) -> int:
    """Which trouble of the day this is, from 1: each recovery closes one."""
    return 1 + int(_answer(db, "mail/count_recoveries", key=f"recovered:{day}:"))


def _is_settled(db: Connection, identity: str) -> bool:
    return bool(_answer(db, "mail/is_settled", id=identity))


def _answer(db: Connection, name: str, **given: str) -> int:
    row = db.execute(statement(name), given).fetchone()
    return int(row["answer"]) if row else 0


def _links(settings: Settings, page: str, sheet_url: str | None = None) -> letter.Links:
    if sheet_url is None and settings.google_sheets_credentials and settings.google_sheets_id:
        sheet_url = f"https://docs.google.com/spreadsheets/d/{settings.google_sheets_id}"
    ui = settings.dagster_ui_url
    return letter.Links(
        sheet=settings.google_sheets_name if sheet_url else settings.workbook.name,
        sheet_url=sheet_url,
        run_url=f"{ui.rstrip('/')}/{page}" if ui else None,
    )

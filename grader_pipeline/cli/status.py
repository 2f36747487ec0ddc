"""``grader-pipeline status``: one screen about yesterday's report, and what needs somebody.

For people, and with ``--json`` for programs. It exits with 1 if yesterday's report is not out an
hour after GRADER_SCHEDULE_TIME, or nobody of MAIL_TO has the mail about it, so cron, systemd or a
probe can tell somebody. It exits with 0 before that hour, before the first day, and while no real
API is set. It needs the database only: no role of the deployment has to work.
"""

import argparse
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader_pipeline.cli.database import opened
from grader_pipeline.cli.doctor import FEW_DAYS
from grader_pipeline.local.disk_forecast import disks
from grader_pipeline.logs import without_secrets
from grader_pipeline.mornings import LATEST, newest_morning
from grader_pipeline.partitions import window
from grader_pipeline.reports.day_metrics import MAIN_METRICS
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.russian import number
from grader_pipeline.reports.stored_days import calendar_notices, changed_days, stored_calendar
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.morning import troubles
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

PERIOD = 28
"""So many days, yesterday the last one, are looked at for missing days and failed reports."""

MAIL_SECONDS = 300
"""A mail that nobody has got after so long counts as missing."""

_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form of the answer."""
    parser.add_argument("--json", action="store_true", help="print the same as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Print the screen. Gives 1 if yesterday's report should be out and is not, else 0.

    Raises LauncherError when the database cannot be used, or there are neither settings nor a demo:
    cron in a wrong folder must not get a 0.
    """
    return show(as_json=chosen.json)


def show(*, as_json: bool = False, have_just_started: bool = False) -> int:
    """The same as :func:`run`, for other commands, too.

    ``have_just_started``: the roles had no time yet to give a sign of life.
    """
    settings = Settings()
    is_new = settings.database_url is None and not (settings.grader_home / "postgres").exists()
    if is_new and not settings.has_real_api:
        raise LauncherError(
            f"There is no installation in {Path.cwd()}: no GRADER_API_URL, no DATABASE_URL, no "
            "demo. Go to the folder that has your .env, or run `grader-pipeline demo` first."
        )
    now = dt.datetime.now(settings.timezone)
    with opened(settings) as postgres, postgres.transaction() as db:
        found = _found(db, settings, now, have_just_started=have_just_started)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2, default=str))
    else:
        for line in _lines(found):
            print(line)
    return int(found["is_late"])


def _found(
    db: Connection, settings: Settings, now: dt.datetime, *, have_just_started: bool = False
) -> dict[str, Any]:
    day, is_due = _looked_at(settings, now)
    first = max(settings.grader_start_date, day - dt.timedelta(days=PERIOD - 1))
    period = {"first": first, "last": day, "reports": [r.name for r in reports()]}
    about = {"day": day, "timezone": settings.grader_timezone}
    load = db.execute(statement("status/day"), about).fetchone() or {}
    reported = db.execute(statement("status/reported_day"), about).fetchone() or {}
    is_out = reported["day"] is not None
    metrics = db.execute(statement("reading/day_metrics"), about).fetchall()
    mails = db.execute(statement("mail/not_sent")).fetchall()
    mail = _mail_trouble(db, settings, day) if is_out else None
    watched = settings.has_real_api and day >= settings.grader_start_date
    stopping = troubles(db, settings, day, have_just_started) if settings.has_real_api else ()
    return {
        "day": day,
        "timezone": settings.grader_timezone,
        "is_out": is_out,
        "mail": mail,
        "is_late": watched and is_due and not (is_out and mail is None),
        "troubles": [without_secrets(trouble, settings) for trouble in stopping],
        "metrics": {m["label"]: m["value"] for m in metrics if m["metric"] in MAIN_METRICS},
        "load": dict(load),
        "first_loaded_day": next(iter(_days(db, "status/first_loaded_day", {})), None),
        "missing_days": _days(db, "status/missing_days", period),
        "waiting_days": (waiting := waiting_days(db)),
        "waiting_records": sorted({*waiting} - {*waiting_days(db, records=False)}),
        "changed_days": changed_days(db),
        "failed_reports": db.execute(statement("report_tables/failures"), period).fetchall(),
        "mails": [
            {**mail, "last_error": without_secrets(mail["last_error"] or "", settings)}
            for mail in mails
        ],
        "disks": [{"days": disk.days, "said": str(disk)} for disk in disks(settings)],
        "notices": calendar_notices(stored_calendar(db)),
    }


def _looked_at(settings: Settings, now: dt.datetime) -> tuple[dt.date, bool]:
    """The day that the screen is about, and whether its report should be out.

    It is yesterday. A morning shortly before midnight has its deadline after it: then it is the
    newest day whose deadline is over.
    """
    due = newest_morning(settings, now - LATEST)
    yesterday = now.date() - dt.timedelta(days=1)
    midnight = dt.datetime.combine(now.date(), settings.grader_schedule_time) + LATEST
    return (due, True) if midnight.date() > now.date() else (yesterday, due == yesterday)


def _mail_trouble(db: Connection, settings: Settings, day: dt.date) -> str | None:
    """Why nobody has the mail about a day whose report is out. None if none is expected."""
    if not (settings.mail_to or settings.channels):
        return None
    given = {"day": day, "day_end": window(day).end, "age_seconds": MAIL_SECONDS}
    row = db.execute(statement("mail/unheard"), given).fetchone() or {}
    if not row["is_decided"]:
        return "no mail about it was decided"
    return f"nobody has got {', '.join(row['unheard'])}" if row["unheard"] else None


def _days(db: Connection, name: str, given: Mapping[str, Any]) -> list[dt.date]:
    return [row["report_date"] for row in db.execute(statement(name), given).fetchall()]


def _lines(found: Mapping[str, Any]) -> list[str]:
    lines = [f"The report of yesterday, {found['day']}, {_state(found)}.", *found["troubles"]]
    lines += [f"  {label}: {number(value)}" for label, value in found["metrics"].items()]
    load = found["load"]
    if load["received"] is not None:
        counts = ", ".join(
            f"{load[name]:,} {name.replace('_', ' ')}"
            for name in ("received", "loaded", "already_there", "duplicates", "rejected")
        )
        lines.append(f"Loaded {load['loaded_at']} ({found['timezone']}): {counts}.")
    if (first := found["first_loaded_day"]) and (missing := found["missing_days"]):
        lines.append(
            f"Not loaded: {_listed(missing)}. Launch a backfill of {_them(missing)} in Dagster's "
            f"UI. Days before {first}, the first loaded one, are not counted."
        )
    records = found["waiting_records"]
    outdated = [day for day in found["waiting_days"] if day not in records]
    for what, days in (("Changed", found["changed_days"]), ("Waiting", outdated)):
        if days:
            lines.append(
                f"{what}: {_listed(days)}. The job refresh computes {_them(days)} again, or "
                "`grader-pipeline recompute`."
            )
    if records:
        lines.append(
            f"Waiting in Dagster's UI only: {_listed(records)}. The tables are up to date. The job "
            "refresh writes the records."
        )
    lines += [
        f"Failed: {failure['report']} of {failure['report_date']}: {failure['message']}"
        for failure in found["failed_reports"][:_SHOWN]
    ]
    if mails := found["mails"]:
        lines.append(
            f"Mails not sent: {len(mails)}, see `grader-pipeline mail list`. The next: "
            f"{mails[0]['last_error']}"
        )
    lines += [
        f"Disk: {disk['said']}"
        for disk in found["disks"]
        if disk["days"] is not None and disk["days"] < FEW_DAYS
    ]
    return [*lines, *found["notices"]]


def _state(found: Mapping[str, Any]) -> str:
    if found["is_late"] and found["mail"]:
        return f"is out, but {found['mail']}: see `grader-pipeline mail list`"
    if found["is_out"]:
        return "is out"
    if found["first_loaded_day"] is None:
        return "is not out: no day was loaded yet. Launch one, or a backfill, in Dagster's UI"
    if found["is_late"]:
        return "is not out, and should be: see Dagster's UI and the log"
    return "is not out"


def _listed(days: Sequence[dt.date]) -> str:
    shown = ", ".join(day.isoformat() for day in days[:_SHOWN])
    more = f" and {len(days) - _SHOWN} more" if len(days) > _SHOWN else ""
    return f"{len(days)} day{'s' if len(days) != 1 else ''}, {shown}{more}"


def _them(days: Sequence[dt.date]) -> str:
    return "it" if len(days) == 1 else "them"

"""What keeps the next morning from coming, as a process sees it that needs none of the roles.

Nothing here asks the UI or the daemon. Source: Dagster's tables. The code server and the worker are
asked only if these say that something is wrong.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from grader_pipeline.mornings import MORNING
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.roles import health, places
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

SILENT_SECONDS = 300
"""The mail sensor is evaluated every 10 s. After so long without it, something is wrong."""

_WAITING_MINUTES = 5
_BREAK = "\n"
_HAS_CODE = "it has the code. Start the daemon again."
_NEEDED = (MORNING, "mail_sensor")
"""The schedule that loads a day, and the sensor that mails it and asks GRADER_HEARTBEAT_URL."""


def troubles(
    db: Connection, settings: Settings, day: dt.date, have_just_started: bool = False
) -> list[str]:
    """What keeps the mornings from coming, or that of ``day``: a sentence each, with what to do.

    Roles that ``have_just_started`` had no time to give a sign of life, or to take what waits.
    """
    if not _one(db, "status/has_dagster")["value"]:
        return [
            "This database has no runs of Dagster: no daemon ever worked on it. Run "
            "`grader-pipeline migrate`, and start the roles."
        ]
    beats = db.execute(statement("status/heartbeats")).fetchall()
    known = {row["name"]: row for row in db.execute(statement("status/automation")).fetchall()}
    found = [*_stopped(known)]
    if have_just_started:
        return [*found, *_run(db, day, None), *_heartbeat(db, day)]
    if not beats:
        found.append(
            "The daemon has given no sign of life yet: no day is loaded and no mail sent until it "
            "does. Start it. If it has just started, ask again in a minute."
        )
    elif silent := health.silence({beat["daemon_type"]: beat["age_seconds"] for beat in beats}):
        found.append(
            f"The daemon gives {silent}: no day is loaded and no mail sent until it is started "
            "again. Its output says why it ended."
        )
    else:
        found += _code(known, settings)
    return [*found, *_run(db, day, settings), *_heartbeat(db, day)]


def _stopped(known: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name, row in known.items():
        if row["is_stopped"]:
            what = {
                MORNING: "no day is loaded by itself",
                "mail_sensor": "no mail is sent, and GRADER_HEARTBEAT_URL is not asked",
            }.get(name, "it does nothing")
            yield (
                f"The {row['kind']} {name} is stopped in Dagster's UI: {what}. Start it there, "
                "under Automation."
            )


def _code(known: dict[str, dict[str, Any]], settings: Settings) -> Iterator[str]:
    sensor = known.get("mail_sensor", {"is_stopped": False, "age_seconds": None, "error": None})
    age = sensor["age_seconds"]
    is_old = not sensor["is_stopped"] and (age is None or age > SILENT_SECONDS)
    # While the code server is away, the daemon may fail to evaluate a sensor, or not try to.
    why = health.code_trouble(places.code_server(settings)) if is_old or sensor["error"] else None
    if is_old or why:
        since = "cannot evaluate its sensors now"
        if is_old:
            since = "has evaluated no sensor "
            since += "yet" if age is None else f"for {age / 60:.0f} minutes"
        yield (
            f"The daemon {since}, so no day is loaded and no mail sent. The code server: "
            + (f"{why}. Mend that, and start it again." if why else _HAS_CODE)
        )
        return
    for name in _NEEDED:
        if name in known and (error := known[name]["error"]):
            yield f"The {known[name]['kind']} {name} fails: {error.strip().partition(_BREAK)[0]}"
    if MORNING not in known:
        yield (
            "The schedule morning never ran: set GRADER_API_URL for the code server too, or start "
            "the schedule in Dagster's UI, under Automation."
        )


def _run(db: Connection, day: dt.date, settings: Settings | None) -> Iterator[str]:
    """What became of the newest run of a day. Without settings, one that waits is not mentioned."""
    run = db.execute(statement("status/last_run"), {"day": day}).fetchone()
    if run is None:
        return
    where = f"the newest run of {day}, {run['run_id']}"
    if run["status"] in ("FAILURE", "CANCELED"):
        how = "failed" if run["status"] == "FAILURE" else "was canceled"
        yield f"{where[0].upper()}{where[1:]}, {how}: its page in Dagster's UI says why."
    elif settings and run["status"] != "SUCCESS" and run["minutes"] >= _WAITING_MINUTES:
        why = health.worker_trouble(settings)
        said = f" The worker: {why}. Start it." if why else ""
        yield f"{where[0].upper()}{where[1:]}, is {run['status']} for {run['minutes']} min.{said}"


def _heartbeat(db: Connection, day: dt.date) -> Iterator[str]:
    row = db.execute(statement("status/heartbeat"), {"day": day}).fetchone()
    if row is not None:
        yield (
            f"GRADER_HEARTBEAT_URL {row['last_error']}: the watch does not know that the report of "
            f"{day} is out. It is asked again at {row['next_attempt']} UTC."
        )


def _one(db: Connection, name: str) -> dict[str, Any]:
    return db.execute(statement(name)).fetchone() or {}

"""The heartbeat: GRADER_HEARTBEAT_URL is asked once after each morning's success.

A watch outside tells somebody when it was not asked in time. So it is asked only if all went well:
the newest morning's day is in the sheet, its mails are decided, each of them has reached somebody,
and the schedule is not stopped. The mail sensor asks, so it is silent when the daemon is dead, the
code cannot be loaded, or one of the two is stopped.

The table ``heartbeat`` keeps what was asked. If the process dies after the answer and before that
is noted, it is asked twice. The address is a secret: no error has it.
"""

import datetime as dt
import logging

import dagster as dg

from grader_pipeline.mornings import MORNING, newest_morning
from grader_pipeline.partitions import window
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

LEASE_SECONDS = 60
FIRST_PAUSE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 900
_ANSWER_SECONDS = 5


def beat(instance: dg.DagsterInstance, postgres: Postgres) -> str | None:
    """Ask the address if the newest morning went well and it was not asked yet.

    Returns what went wrong, in a sentence. Raises as :class:`Postgres` does.
    """
    settings = Settings()
    address = settings.grader_heartbeat_url
    if address is None or not settings.has_real_api:
        return None
    day = newest_morning(settings, dt.datetime.now(dt.UTC))
    about = {"day": day, "day_end": window(day).end, "age_seconds": 0}
    with postgres.transaction() as db:
        row = db.execute(statement("mail/unheard"), about).fetchone() or {}
        if not row["is_decided"] or row["unheard"] or _is_stopped(instance):
            return None
        lease = {"day": day, "lease_seconds": LEASE_SECONDS}
        claimed = db.execute(statement("mail/claim_heartbeat"), lease).fetchone()
    if claimed is None:
        return None
    error = _ask(address.get_secret_value())
    pause = min(FIRST_PAUSE_SECONDS * 2 ** min(claimed["attempts"] - 1, 16), LONGEST_PAUSE_SECONDS)
    with postgres.transaction() as db:
        noted = {"day": day, "error": error, "pause_seconds": pause}
        db.execute(statement("mail/note_heartbeat"), noted)
    if error is None:
        log.info("GRADER_HEARTBEAT_URL is asked: the report of %s is out", day)
        return None
    log.warning("GRADER_HEARTBEAT_URL %s. It is asked again in %d s", error, pause)
    return f"GRADER_HEARTBEAT_URL {error}."


def probe() -> str:
    """A line about the setting. The address is not asked: that would count as a success."""
    if Settings().grader_heartbeat_url is None:
        return "GRADER_HEARTBEAT_URL is not set: no watch outside notices a missing morning"
    return "GRADER_HEARTBEAT_URL is asked after each morning's success. It was not asked now"


def _is_stopped(instance: dg.DagsterInstance) -> bool:
    """Whether somebody has stopped the schedule in Dagster's UI."""
    return any(
        state.name == MORNING and state.status.value == "STOPPED"
        for state in instance.all_instigator_state()
    )


def _ask(address: str) -> str | None:
    """Ask once. Returns why that was no success, without the address."""
    # Imported where it is used: see setting_forms.py.
    import httpx  # noqa: PLC0415

    try:
        # The body does not matter, and may be endless.
        with (
            httpx.Client(follow_redirects=True, timeout=_ANSWER_SECONDS) as client,
            client.stream("GET", address) as answer,
        ):
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return f"gives no answer ({type(error).__name__})"
    return None if httpx.codes.is_success(status) else f"answers {status}"

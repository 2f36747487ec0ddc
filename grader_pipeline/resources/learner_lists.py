"""The lists of learners who are left out: excluded from reports, or forgotten; and the audit log.

Who reads a list and stores something by it shares the lock LEARNERS from before the reading until
it is stored. Who changes a list waits until nobody does. So a list holds for all that is stored
after the change.

Source: excluded_learner, forgotten_learner, learner_key, audit_log.
"""

import datetime as dt
import getpass
import os
from collections.abc import Collection

from grader_pipeline.attempts.forgotten import ForgottenLearners, hashed
from grader_pipeline.resources.connections import Connection
from grader_pipeline.statements import statement

LEARNERS = "learners"
"""The lock of the lists, for ``Postgres.holding``."""


def excluded_learners(db: Connection) -> frozenset[str]:
    """The learners whom reports leave out."""
    rows = db.execute(statement("learners/excluded")).fetchall()
    return frozenset(row["user_id"] for row in rows)


def forgotten_learners(db: Connection) -> ForgottenLearners:
    """The forgotten learners. False if there is none."""
    rows = db.execute(statement("learners/forgotten")).fetchall()
    key = _key(db) if rows else ""
    return ForgottenLearners(key, ((row["length"], bytes(row["hash"])) for row in rows))


def hash_of(db: Connection, learner: str) -> bytes:
    """The keyed hash of a learner's id, as forgotten_learner and audit_log have it."""
    return hashed(_key(db), learner)


def note(
    db: Connection,
    action: str,
    *,
    done_by: str | None = None,
    learner: bytes | None = None,
    days: Collection[dt.date] | None = None,
) -> int:
    """Write a line of the audit log; give its id.

    ``done_by`` is the id of a run. Without it, it is who started this process, through sudo or not.
    ``action`` is a word that the table's definition lists. ``days`` are those that it changed.
    """
    line = {"action": action, "done_by": done_by or _user(), "learner": learner, **_period(days)}
    return int((db.execute(statement("learners/note"), line).fetchone() or {})["id"])


def note_days(db: Connection, line: int, days: Collection[dt.date]) -> None:
    """Write the days that it changed into a line of the audit log."""
    db.execute(statement("learners/note_days"), {"id": line, **_period(days)})


def _period(days: Collection[dt.date] | None) -> dict[str, object]:
    return {
        "days": None if days is None else len(days),
        "first": min(days, default=None) if days else None,
        "last": max(days, default=None) if days else None,
    }


def _key(db: Connection) -> str:
    return str((db.execute(statement("learners/key")).fetchone() or {})["key"])


def _user() -> str:
    try:
        # The service's user has the command by sudo from somebody.
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        return "unknown"

"""Forgets a learner: no table and no stored file has their id afterwards.

First the learner is put on the list of the forgotten: from then on, raw_attempts takes their
elements out of each new answer, and no load stores them. Then each day with stored files is
cleaned, and then what tables have besides. A run that has read the list before is waited for, so it
does not bring the learner back. The command can be killed at any time: a repetition does what is
left, and moves nothing in the ledger twice.

Source: GRADER_STORAGE and every table.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from grader_pipeline.learners import files, tables
from grader_pipeline.resources.learner_lists import (
    LEARNERS,
    forgotten_learners,
    hash_of,
    note,
    note_days,
)
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.statements import statement
from grader_pipeline.storage import days_with_files

Progress = Callable[[str, int, int], None]
"""Called before each day: what is done, how many days are done, how many there are."""


@dataclass
class Forgotten:
    """What was removed: numbers only."""

    attempts: int = 0
    elements: int = 0
    files: int = 0
    rows: int = 0
    """Rows of reports and other tables."""
    mails: int = 0
    days: set[dt.date] = field(default_factory=set)
    """The days that had something of it."""


def forget(postgres: Postgres, learner: str, progress: Progress) -> Forgotten:
    """Forget a learner, as the module's text describes.

    Raises PermanentFailure if a stored file is damaged, and as Postgres and the storage do.
    """
    done = Forgotten()
    with postgres.transaction() as db:
        hashed = hash_of(db, learner)
        about = {"hash": hashed, "length": len(learner)}
        db.execute(statement("learners/remember_forgotten"), about)
        line = note(db, "forget", learner=hashed)
        forgotten = forgotten_learners(db)
    # Runs that have read the list before have stored their files and attempts when this returns.
    with postgres.holding(LEARNERS):
        days = days_with_files()
    placed = set()
    for number, date in enumerate(days):
        progress("cleaning files", number, len(days))
        with postgres.holding(LEARNERS):
            found = files.clean(postgres, date, forgotten)
        done.attempts += found.attempts
        done.elements += found.elements
        done.files += found.files
        if found.elements:
            done.days.add(date)
        if found.is_placed:
            placed.add(date)
    progress("cleaning tables", len(days), len(days))
    with postgres.holding(LEARNERS), postgres.transaction() as db:
        attempts = tables.delete_attempts(db, learner, forgotten, placed)
        done.attempts += attempts.total()
        done.days |= attempts.keys()
        elements = tables.refuse_rejected(db, learner, forgotten)
        done.elements += elements.total()
        done.days |= elements.keys()
        done.rows += tables.delete_numbers(db, learner, forgotten)
        done.rows += tables.clean_texts(db, learner, forgotten)
        done.mails += tables.empty_mails(db, forgotten)
        note_days(db, line, done.days)
    return done

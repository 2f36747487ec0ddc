"""Leaves learners out of the reports, such as staff and test accounts, and takes them in again.

Their attempts stay in grader. Each day that has one is marked as changed, in the transaction that
changes the list: the next refresh computes it again.
"""

import datetime as dt

from grader_pipeline.partitions import school_date
from grader_pipeline.resources.learner_lists import LEARNERS, hash_of, note
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.statements import statement


def exclude(postgres: Postgres, learner: str) -> set[dt.date] | None:
    """Leave a learner out; give the days that have to be computed again.

    None if the learner is left out already. Raises like Postgres.
    """
    return _change(postgres, learner, "exclude")


def include(postgres: Postgres, learner: str) -> set[dt.date] | None:
    """Take a learner in again, as :func:`exclude`. None if the learner is not left out."""
    return _change(postgres, learner, "include")


def _change(postgres: Postgres, learner: str, action: str) -> set[dt.date] | None:
    about = {"learner": learner}
    # A load that has read the list may have attempts of the learner that nobody else sees yet.
    with postgres.holding(LEARNERS), postgres.transaction() as db:
        if not db.execute(statement(f"learners/{action}"), about).rowcount:
            return None
        marks = db.execute(statement("learners/mark_days"), about).fetchall()
        days = {school_date(mark["quarter_hour"]) for mark in marks}
        note(db, action, learner=hash_of(db, learner), days=days)
    return days

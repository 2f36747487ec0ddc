"""The rollups: attempts summed up by learner, task and day. Reports read them.

The load of a day keeps them up to date, with the statements of ``sql/load``. Their tables and
columns are described in ``sql/schema``.
"""

from psycopg import sql

from grader_pipeline.partitions import SchoolDay
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement

_STEPS = (
    "lock_rollups",
    "remember_engagements",
    "forget_engagement_day",
    "roll_up_day",
    "number_learners",
    "number_tasks",
    "keep_engagement_day",
    "touch_engagements",
    "forget_engagements",
    "roll_up_engagements",
    "note_rollup",
)


def roll_up(db: Connection, day: SchoolDay, *, changed: bool) -> None:
    """Update the rollups if the day's attempts changed, or if the rollups do not have the day."""
    found = db.execute(statement("load/has_rollup"), day.parameters).fetchone() or {}
    if changed or not found["answer"]:
        for step in _STEPS:
            db.execute(statement(f"load/{step}"), day.parameters)
        for table in db.execute(statement("load/outgrown_rollups")).fetchall():
            db.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table["name"])))

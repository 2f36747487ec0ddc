"""The rollups that the reports stand on, kept up to date by the load of a day.

What they hold is told in ``sql/schema/060_rollups.sql``, how they are filled in ``sql/load``.
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
    """Bring the rollups up to date if the day's attempts changed, or are not in them yet."""
    found = db.execute(statement("load/has_rollup"), day.parameters).fetchone() or {}
    if changed or not found["answer"]:
        for step in _STEPS:
            db.execute(statement(f"load/{step}"), day.parameters)
        for table in db.execute(statement("load/outgrown_rollups")).fetchall():
            db.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table["name"])))

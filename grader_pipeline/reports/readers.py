"""``grader_reader``: the role for colleagues who look at the reports with psql or a BI tool.

It reads the columns that reports show, and the ledger. It reads no attempt and no learner, and may
write nothing. Lines of small groups are not merged for it: docs/privacy.md. It cannot log in: an
administrator grants it to somebody's own role. Queries of reports do not run as this role, because
they read attempts.
"""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from grader_pipeline.reports.definition import Report, Row
from grader_pipeline.reports.header_values import MAIN
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement

ROLE = "grader_reader"

LEDGERS = ("grader_load", "load_history")
"""What it reads beside reports: the counts of each load."""

BY_HAND = f"CREATE ROLE {ROLE} NOLOGIN"
"""The statement of an administrator, where the role of DATABASE_URL may not make roles."""


def make_role(db: Connection) -> bool:
    """Make the role if there is none. False if that is not allowed."""
    try:
        with db.transaction():
            if _role(db) is None:
                db.execute(BY_HAND.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        pass  # made meanwhile, for another database of the server
    return True


def let_read(db: Connection, reports: Sequence[Report]) -> int:
    """Let the role read what is shown of reports whose tables there are. Gives their number.

    What else it could read of them ends. Nothing happens without the role.
    """
    if (role := _role(db)) is None:
        return 0
    if not role["may_use"]:
        grant = sql.SQL("GRANT USAGE ON SCHEMA {} TO {}")
        db.execute(grant.format(sql.Identifier(role["schema"]), sql.Identifier(ROLE)))
    for table in LEDGERS:
        columns = db.execute(statement("report_tables/columns"), {"table": table}).fetchall()
        _grant(db, table, [column["name"] for column in columns])
    return sum(_let_read(db, report) for report in reports)


def _let_read(db: Connection, report: Report) -> bool:
    # A run that adds a column to the table waits until this is done.
    db.execute(statement("report_tables/lock_table"), {"report": report.name})
    found = db.execute(statement("report_tables/columns"), {"table": report.name}).fetchall()
    shown = {"report_date", *report.columns} if report.sheet else set()
    if found:
        # The main report is shown whole.
        names = [row["name"] for row in found if row["name"] in shown or report.sheet == MAIN]
        _grant(db, report.name, names)
    return bool(found and shown)


def _grant(db: Connection, table: str, columns: Sequence[str]) -> None:
    """Let the role read these columns of a table, and no other."""
    parts = {
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "table": sql.Identifier(table),
        "role": sql.Identifier(ROLE),
    }
    db.execute(sql.SQL("REVOKE ALL ON {table} FROM {role}").format(**parts))
    if columns:
        db.execute(sql.SQL("GRANT SELECT ({columns}) ON {table} TO {role}").format(**parts))


def _role(db: Connection) -> Row | None:
    return db.execute(statement("readers/role"), {"role": ROLE}).fetchone()

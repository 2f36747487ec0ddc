"""The reports' tables in PostgreSQL: a day's part is computed, replaced and read.

A table has ``report_date`` and its query's columns. A column that is new in the query is added. A
column that the query no longer gives stays, and is NULL from then on. A day's part is replaced in
one transaction, and only if it differs from the stored one. The table report_day notes the versions
of the days that a part was computed from. So a late correction of a day finds the parts of later
days that have to be computed again.
"""

import datetime as dt
import re
from dataclasses import dataclass

import psycopg
from psycopg import sql

from grader_pipeline.partitions import SchoolDay, school_day
from grader_pipeline.reports.definition import Report, ReportError, Row, place
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

_COMPUTE = "CREATE TEMPORARY TABLE fresh_report ON COMMIT DROP AS\n"
_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")


@dataclass(frozen=True)
class Stored:
    """A day's part after it was computed: its rows, and whether it was written."""

    rows: int
    written: bool


def store_day(postgres: Postgres, report: Report, day: SchoolDay) -> Stored:
    """Compute the day's part of a report and replace the stored one.

    A lock lets one process at a time compute a report. Raises ReportError, naming file and line, if
    the report cannot be computed; the stored part stays. Raises TransientFailure and
    PermanentFailure as :class:`Postgres` does.
    """
    if report.problem:
        raise ReportError(report.problem)
    with postgres.transaction(lock=f"report/{report.name}") as db:
        try:
            return _replace(db, report, day)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise ReportError(_explain(report, error)) from error


def refresh_later_days(postgres: Postgres, report: Report, day: SchoolDay) -> dict[str, Stored]:
    """Compute the stored parts of later days again that were computed before this day changed.

    Returns them by day. Raises as :func:`store_day`.
    """
    with postgres.transaction() as db:
        outdated = db.execute(
            statement("report_tables/outdated_days"),
            {"report": report.name, "history": report.history, **day.parameters},
        ).fetchall()
    first = Settings().grader_start_date
    days = [row["report_date"].isoformat() for row in outdated if row["report_date"] >= first]
    return {key: store_day(postgres, report, school_day(key)) for key in days}


def read_rows(
    db: Connection, report: Report, *, until: dt.date | None = None, days: int | None
) -> list[Row]:
    """Read a report's rows of the ``days`` days (None: all) that end with ``until``.

    ``until`` unset is the newest day stored. The newest day comes first. Within a day rows are in
    the order of the table's columns.
    """
    columns = [column["name"] for column in columns_of(db, report.name)]
    if not columns:
        return []
    table = sql.Identifier(report.name)
    last = sql.SQL("coalesce(%(until)s::date, (SELECT max(report_date) FROM {}))").format(table)
    order = sql.SQL(", ").join(map(sql.Identifier, columns[1:]))
    query = sql.SQL(
        "SELECT * FROM {table} WHERE report_date <= {last}"
        " AND report_date > coalesce({last} - %(days)s::integer, '-infinity')"
        " ORDER BY report_date DESC, {order}"
    ).format(table=table, last=last, order=order)
    return db.execute(query, {"until": until, "days": days}).fetchall()


def _replace(db: Connection, report: Report, day: SchoolDay) -> Stored:
    # Read before the report is computed: if a load comes in between, the part is out of date.
    inputs = db.execute(
        statement("report_tables/inputs"), {"history": report.history, **day.parameters}
    ).fetchone()
    further = {"report_date": day.date, "timezone": Settings().grader_timezone}
    db.execute(_COMPUTE + report.query, day.parameters | further)
    names = _grow_table(db, report, day)
    parts = {
        "table": sql.Identifier(report.name),
        "names": sql.SQL(", ").join(map(sql.Identifier, names)),
    }
    stored = sql.SQL("SELECT {names} FROM {table} WHERE report_date = %(day)s").format(**parts)
    fresh = sql.SQL("SELECT {names} FROM fresh_report").format(**parts)
    compare = sql.SQL(
        "SELECT EXISTS ((({0}) EXCEPT ALL ({1})) UNION ALL (({1}) EXCEPT ALL ({0}))) AS differs,"
        " (SELECT count(*) FROM fresh_report) AS rows"
    )
    found = db.execute(compare.format(stored, fresh), day.parameters).fetchone() or {}
    if found["differs"]:
        delete = sql.SQL("DELETE FROM {table} WHERE report_date = %(day)s")
        insert = sql.SQL(
            "INSERT INTO {table} (report_date, {names}) SELECT %(day)s, {names} FROM fresh_report"
        )
        db.execute(delete.format(**parts), day.parameters)
        db.execute(insert.format(**parts), day.parameters)
    db.execute(
        statement("report_tables/note_day"),
        {"report": report.name, **day.parameters, **(inputs or {})},
    )
    return Stored(found["rows"], found["differs"])


def _grow_table(db: Connection, report: Report, day: SchoolDay) -> list[str]:
    """Add the columns to the table that the fresh rows have and it lacks.

    Returns the names of the fresh rows' columns, without report_date. Raises ReportError if they do
    not fit the header or the table.
    """
    fresh = {column["name"]: column["type"] for column in columns_of(db, "pg_temp.fresh_report")}
    if fresh.pop("report_date", None):
        other = "SELECT FROM fresh_report WHERE report_date IS DISTINCT FROM %s LIMIT 1"
        if db.execute(other, [day.date]).rowcount:
            raise ReportError(
                f"{place(report.path)}: its report_date is not always the day's. Leave the column "
                "out, or give %(report_date)s."
            )
    for line, name in report.named_columns:
        if name not in fresh:
            raise ReportError(f"{place(report.path, line)}: the query has no column {name}.")
    table = sql.Identifier(report.name)
    stored = {column["name"]: column["type"] for column in columns_of(db, report.name)}
    if not stored:
        db.execute(sql.SQL("CREATE TABLE {} (report_date date NOT NULL)").format(table))
        db.execute(sql.SQL("CREATE INDEX ON {} (report_date)").format(table))
    for name, kind in fresh.items():
        if name not in stored:
            grow = sql.SQL("ALTER TABLE {} ADD COLUMN {} {}")
            db.execute(grow.format(table, sql.Identifier(name), sql.SQL(kind)))
        elif stored[name] != kind:
            raise ReportError(
                f"{place(report.path)}: {name} is {kind} now, and {stored[name]} in the table. "
                "Cast it in the query, or change the column's type in the table."
            )
    return list(fresh)


def columns_of(db: Connection, table: str) -> list[Row]:
    """The columns of a table, in their order: ``name`` and ``type``. Empty without a table."""
    return db.execute(statement("report_tables/columns"), {"table": table}).fetchall()


def _explain(report: Report, error: psycopg.Error) -> str:
    """The server's message, with the file and the line that it is about."""
    position = error.diag.statement_position
    sent = _COMPUTE + _as_sent(report.query)
    line = sent[: int(position)].count("\n") if position else None
    message = error.diag.message_primary or str(error).strip().splitlines()[0]
    # An error of class 42 quotes the file. Others may quote data, and data names learners.
    if not (error.sqlstate or "").startswith("42"):
        message = re.sub(r'"[^"]*"', '"…"', message)
    return f"{place(report.path, line)}: {message}."


def _as_sent(query: str) -> str:
    """The query with its parameters as the server sees them. The server counts its characters."""
    numbers: dict[str, str] = {}

    def sent(match: re.Match[str]) -> str:
        return numbers.setdefault(match[1], f"${len(numbers) + 1}") if match[1] else "%"

    return _PLACEHOLDER.sub(sent, query)

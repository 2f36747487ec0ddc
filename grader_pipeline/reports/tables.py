"""The reports' tables in PostgreSQL: how a day's part is computed, replaced and read.

A table is made from its query's columns, with ``report_date`` in front, and grows with them; a
column that the query no longer gives stays, empty from then on. A day's part is replaced in one
transaction, and only if it comes out otherwise than it is stored. What days a part was computed
from is remembered, so that a late correction of one of them finds the parts to compute again.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from grader_pipeline.partitions import SchoolDay, school_day
from grader_pipeline.reports.definition import Report, ReportError
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

Row = dict[str, Any]

_COMPUTE = "CREATE TEMPORARY TABLE fresh_report ON COMMIT DROP AS\n"
_DRAWN = re.compile(r" (?:x|y|by|only)=([^\s:]+)")
_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")


@dataclass(frozen=True)
class Stored:
    """What became of a day's part: its rows, and whether anything had to be written."""

    rows: int
    written: bool


def store_day(postgres: Postgres, report: Report, day: SchoolDay) -> Stored:
    """Compute the day's part of a report and put it in place of the stored one.

    One at a time for each report, in any process. Raises ReportError, naming file and line, for a
    report that cannot be computed; what was stored stays. Raises TransientFailure and
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
            raise ReportError(_told(report, error)) from error


def refresh_later_days(postgres: Postgres, report: Report, day: SchoolDay) -> dict[str, Stored]:
    """Compute again what is stored of later days and was computed before this one changed.

    By day, what became of it. Raises as :func:`store_day`.
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
    """A report's rows of the newest ``days`` stored (None: all), days newest first.

    ``until`` is the last day to look at; unset, the newest there is. Within a day rows are in the
    order of the table's columns.
    """
    columns = [column["name"] for column in _columns(db, report.name)]
    if not columns:
        return []
    table = sql.Identifier(report.name)
    last = until
    if last is None:
        newest = sql.SQL("SELECT max(report_date) AS day FROM {}").format(table)
        last = (db.execute(newest).fetchone() or {})["day"]
    order = sql.SQL(", ").join(map(sql.Identifier, columns[1:]))
    query = sql.SQL(
        "SELECT * FROM {table} WHERE report_date <= %(last)s"
        " AND report_date > coalesce(%(last)s::date - %(days)s::integer, '-infinity')"
        " ORDER BY report_date DESC, {order}"
    ).format(table=table, order=order)
    return db.execute(query, {"last": last, "days": days}).fetchall()


def _replace(db: Connection, report: Report, day: SchoolDay) -> Stored:
    # What the report looks at is noted before it looks: a load in between makes it out of date.
    inputs = db.execute(
        statement("report_tables/inputs"), {"history": report.history, **day.parameters}
    ).fetchone()
    bound = {
        "report_date": day.date, "timezone": Settings().grader_timezone, **day.parameters
    }  # fmt: skip
    db.execute(_COMPUTE + report.query, bound)
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
    """See that the table has the fresh rows' columns; their names, without report_date."""
    fresh = {column["name"]: column["type"] for column in _columns(db, "pg_temp.fresh_report")}
    if fresh.pop("report_date", None):
        other = "SELECT FROM fresh_report WHERE report_date IS DISTINCT FROM %s LIMIT 1"
        if db.execute(other, [day.date]).rowcount:
            raise ReportError(
                f"sql/reports/{report.path.name}: its report_date is not always the day's. Leave "
                "the column out, or give %(report_date)s."
            )
    for number, name in _named_columns(report):
        if name not in fresh:
            raise ReportError(
                f"sql/reports/{report.path.name}, line {number}: the query has no column {name}."
            )
    table = sql.Identifier(report.name)
    stored = {column["name"]: column["type"] for column in _columns(db, report.name)}
    if not stored:
        db.execute(sql.SQL("CREATE TABLE {} (report_date date NOT NULL)").format(table))
        db.execute(sql.SQL("CREATE INDEX ON {} (report_date)").format(table))
    for name, kind in fresh.items():
        if name not in stored:
            grow = sql.SQL("ALTER TABLE {} ADD COLUMN {} {}")
            db.execute(grow.format(table, sql.Identifier(name), sql.SQL(kind)))
        elif stored[name] != kind:
            raise ReportError(
                f"sql/reports/{report.path.name}: {name} is {kind} now, and {stored[name]} in the "
                "table. Cast it in the query, or change the column's type in the table."
            )
    return list(fresh)


def _named_columns(report: Report) -> list[tuple[int, str]]:
    """The columns that the header speaks of, with their lines."""
    found = []
    for number, line in enumerate(report.path.read_text().splitlines(), start=1):
        if match := re.match(r"-- column (\w+)(?: of (\w+))?:", line):
            found += [(number, name) for name in match.groups() if name]
        elif re.match(r"-- (?:chart|picture): ", line):
            names = [name for part in _DRAWN.findall(line) for name in part.split(",")]
            found += [(number, name) for name in names if name != "report_date"]
    return found


def _columns(db: Connection, table: str) -> list[Row]:
    return db.execute(statement("report_tables/columns"), {"table": table}).fetchall()


def _told(report: Report, error: psycopg.Error) -> str:
    """The server's sentence with the file and the line that it is about."""
    where = f"sql/reports/{report.path.name}"
    if position := error.diag.statement_position:
        sent = _COMPUTE + _as_sent(report.query)
        where += f", line {sent[: int(position)].count(chr(10))}"
    message = error.diag.message_primary or str(error).strip().splitlines()[0]
    # Errors of data may quote it, and data names learners; errors of syntax quote the file.
    if not (error.sqlstate or "").startswith("42"):
        message = re.sub(r'"[^"]*"', '"…"', message)
    return f"{where}: {message}."


def _as_sent(query: str) -> str:
    """The query with its parameters as the server sees them, for counting its characters."""
    places: dict[str, str] = {}

    def place(match: re.Match[str]) -> str:
        return places.setdefault(match[1], f"${len(places) + 1}") if match[1] else "%"

    return _PLACEHOLDER.sub(place, query)

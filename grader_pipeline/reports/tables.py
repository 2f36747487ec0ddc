"""The reports' tables in PostgreSQL: a day's part is computed, replaced and read.

A table has ``report_date`` and its query's columns. A column that is new in the query is added. A
column that the query no longer gives stays, and is NULL from then on. A query runs without the
right to write. A day's part is replaced in one transaction, and only if it differs from the stored
one. The table report_day notes the versions of the days that a part was computed from:
``waiting.py`` finds the parts that are out of date.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from grader_pipeline.asset_names import METRICS, SHEET_REPORT
from grader_pipeline.partitions import SchoolDay, window
from grader_pipeline.reports import readers
from grader_pipeline.reports.definition import Report, ReportError, Row, place
from grader_pipeline.reports.header_values import MAIN
from grader_pipeline.reports.records import outdate_records
from grader_pipeline.reports.refused import COLUMNS, ROWS, explained, only_reading
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement


@dataclass(frozen=True)
class Stored:
    """A day's part after it was computed: its rows, and whether it was written."""

    rows: int
    written: bool


def store_reports(
    postgres: Postgres,
    reports: Iterable[Report],
    day: SchoolDay,
    *,
    run_id: str | None = None,
    only_outdated: bool = False,
) -> dict[str, Stored | ReportError]:
    """Compute the day's parts of reports and replace the stored ones, in one transaction.

    Each report has a savepoint: if it cannot be computed, its stored part stays, report_failure has
    its message, and the result is a ReportError that names file and line. A lock lets one process
    at a time compute a day. ``run_id`` is the run of that day, if it is the one to record what was
    written (``records.py``). ``only_outdated`` leaves out parts that were computed from what the
    rollups hold now. Raises TransientFailure and PermanentFailure as :class:`Postgres` does.
    """
    with postgres.transaction(lock=f"reports/{day.key}") as db:
        found = {report.name: _inputs(db, report, day) for report in reports}
        wanted = [
            report for report in reports
            if not (only_outdated and found[report.name]["is_current"])
        ]  # fmt: skip
        if wanted:
            prepare(db, day)
        return {
            report.name: _store(db, report, day, found[report.name], run_id) for report in wanted
        }


def prepare(db: Connection, day: SchoolDay) -> None:
    """Make the temporary tables that the reports of a day share."""
    for tables in ("prepare", "prepare_hours"):
        db.execute(statement(f"report_tables/{tables}"), _given(day))


def _inputs(db: Connection, report: Report, day: SchoolDay) -> Row:
    # Read before anything is computed: if a load comes in between, the part is out of date.
    about = {"report": report.name, "history": report.history, **day.parameters}
    return db.execute(statement("report_tables/inputs"), about).fetchone() or {}


def _store(
    db: Connection, report: Report, day: SchoolDay, inputs: Row, run_id: str | None
) -> Stored | ReportError:
    about = {"report": report.name, **day.parameters}
    try:
        stored = _replace(db, report, day)
    except ReportError as error:
        db.execute(statement("report_tables/note_failure"), {**about, "message": str(error)})
        return error
    db.execute(statement("report_tables/forget_failure"), about)
    db.execute(statement("report_tables/note_day"), {**about, **inputs})
    if stored.written or inputs["is_first"]:
        outdate_records(db, [report.name, METRICS, SHEET_REPORT], day.date, run_id)
    return stored


def make_tables(postgres: Postgres, reports: Iterable[Report]) -> list[ReportError]:
    """Make the reports' tables, without rows, and the columns that they lack.

    A role that may not make tables can compute the reports then. Gives an error for each report
    that cannot be computed. Raises as :class:`Postgres` does.
    """
    errors = []
    day = window(Settings().grader_start_date)
    with postgres.transaction(lock=f"reports/{day.key}") as db:
        prepare(db, day)
        for report in reports:
            try:
                with explained(report), db.transaction():
                    db.execute(COLUMNS.format(query=report.query), _given(day))
                    _grow_table(db, report, day)
                    db.execute("DROP TABLE fresh_report")
            except ReportError as error:
                errors.append(error)
    return errors


def failures(db: Connection, reports: Iterable[Report], day: SchoolDay) -> dict[str, str]:
    """The reports that could not be computed for the day, each with its message."""
    given = {"reports": [report.name for report in reports], "first": day.date, "last": day.date}
    rows = db.execute(statement("report_tables/failures"), given).fetchall()
    return {row["report"]: row["message"] for row in rows}


def stored_days(db: Connection, report: Report) -> set[dt.date]:
    """The days of which a report's part is stored, though it may have no rows."""
    rows = db.execute(statement("report_tables/stored_days"), {"report": report.name}).fetchall()
    return {row["report_date"] for row in rows}


def count_rows(db: Connection, report: Report, day: SchoolDay) -> int:
    """How many rows a report of the day has. 0 if there is no table yet."""
    if not columns_of(db, report.name):
        return 0
    count = sql.SQL("SELECT count(*) AS rows FROM {} WHERE report_date = %(day)s")
    query = count.format(sql.Identifier(report.name))
    return int((db.execute(query, day.parameters).fetchone() or {})["rows"])


def _replace(db: Connection, report: Report, day: SchoolDay) -> Stored:
    with explained(report), db.transaction():
        return _compute(db, report, day)


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


def _compute(db: Connection, report: Report, day: SchoolDay) -> Stored:
    given = _given(day)
    db.execute(COLUMNS.format(query=report.query), given)
    with only_reading(report), db.transaction():
        db.execute(statement("report_tables/only_read"))
        db.execute(ROWS.format(query=report.query), given)
    if report.sheet == MAIN:
        # All of this table is shown, in sheet, mail and metadata.
        db.execute(statement("report_tables/leave_out_learners"))
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
    db.execute("DROP TABLE fresh_report")
    return Stored(found["rows"], found["differs"])


def _given(day: SchoolDay) -> dict[str, object]:
    further = {"report_date": day.date, "timezone": Settings().grader_timezone}
    return day.parameters | further


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
    if {*fresh} - {*stored}:
        # One process at a time changes the table, and the others see what it did.
        db.execute(statement("report_tables/lock_table"), {"report": report.name})
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
    if {*fresh} - {*stored}:
        readers.let_read(db, [report])
    return list(fresh)


def columns_of(db: Connection, table: str) -> list[Row]:
    """The columns of a table, in their order: ``name`` and ``type``. Empty without a table."""
    return db.execute(statement("report_tables/columns"), {"table": table}).fetchall()

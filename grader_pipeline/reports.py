"""The reports of ``sql/metrics``: a file each, which is all there is to a report.

``sql/metrics/NAME.sql`` is one query about one day; its rows fill the day's part of the table NAME,
as ``report_date`` and the query's columns. Parameters are bound: ``report_date`` (the day),
``day_start`` and ``day_end`` (its half-open window in UTC).
"""

from pathlib import Path

from psycopg import sql

from grader_pipeline.partitions import SchoolDay
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.sql import files


def reports() -> list[Path]:
    """The reports' files, in the order of their names."""
    return files("metrics")


def replace_day(db: Connection, report: Path, day: SchoolDay) -> int:
    """Fill the day's part of the report's table anew; how many rows it has now.

    Rows of other days are not touched. Raises psycopg.Error for a query that cannot run.
    """
    parameters = {"report_date": day.date, **day.parameters}
    query = sql.SQL(report.read_text().rstrip().rstrip(";"))
    table = sql.Identifier(report.stem)
    columns = db.execute(
        sql.SQL("SELECT * FROM (\n{}\n) AS report LIMIT 0").format(query), parameters
    ).description
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns or ())
    db.execute(sql.SQL("DELETE FROM {} WHERE report_date = %s").format(table), [day.date])
    return db.execute(
        sql.SQL(
            "INSERT INTO {} (report_date, {})"
            " SELECT %(report_date)s, report.* FROM (\n{}\n) AS report"
        ).format(table, names, query),
        parameters,
    ).rowcount

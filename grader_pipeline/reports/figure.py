"""One cell of a report: which one is meant, and the query of the attempts behind it.

A figure is a metric of a day, or a column of one line of a report. Names are those in the database.
Source: the reports' tables, and ``behind`` of their files.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.reports import behind
from grader_pipeline.reports.behind import DIMENSIONS, ELEMENTS, REJECTED, Behind
from grader_pipeline.reports.definition import OTHERS, Report, Row
from grader_pipeline.reports.tables import columns_of
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement


@dataclass(frozen=True)
class Figure:
    """One cell of a report of a day."""

    report: Report
    date: dt.date
    name: str
    """Its column, or its metric."""
    line: Row
    column: str

    @property
    def value(self) -> object:
        """What the report has stored. A metric without a value may have a text."""
        value = self.line[self.column]
        return self.line.get("text") if value is None and self.report.plot else value

    @property
    def behind(self) -> Behind:
        """What the report's file says is behind it."""
        said = self.report.behind
        starts = (name for name in said if name.endswith("_") and self.name.startswith(name))
        name = self.name if self.name in said else next(starts, None)
        return said[name] if name else behind.of_history(self.report.history)

    @property
    def query(self) -> sql.Composed:
        """The query of what is behind it. It has no parameters."""
        if self.behind.period in {ELEMENTS, REJECTED}:
            return behind.rejected_query(self.behind, self.date)
        return behind.attempts_query(self.behind, self.date, self.line)


def find_figure(
    db: Connection,
    known: Mapping[str, Report],
    date: dt.date,
    words: Sequence[str],
    keys: Mapping[str, str],
) -> Figure:
    """Find the figure of ``METRIC``, or of ``REPORT COLUMN`` in the line that ``keys`` name.

    ``known`` are all reports, by name. Raises PermanentFailure if there is no such figure, or more
    than one.
    """
    found = db.execute(statement("load/has_rollup"), {"day": date}).fetchone() or {}
    if not found["answer"]:
        raise PermanentFailure(f"{date} is not stored: no attempts of it were loaded.")
    if len(words) == 1:
        return _metric(db, date, words[0], known.values())
    name, column = words
    if name not in known:
        raise PermanentFailure(f"No report is named {name}. There are: {', '.join(known)}.")
    report = known[name]
    columns = [other for other in _computed(db, date, report) if other != "report_date"]
    for wanted in (column, *keys):
        if wanted not in columns:
            raise PermanentFailure(
                f"{name} has no column {wanted}. It has {', '.join(columns)}. Names are those in "
                "the database, not the headings of the sheet."
            )
    if OTHERS in keys.values():
        raise PermanentFailure(
            f"«{OTHERS}» is made of several lines when the sheet is written. Trace one of them: "
            f"they are in the table {name}."
        )
    lines = _lines(db, date, name, keys)
    if len(lines) != 1:
        raise PermanentFailure(_which(report, date, lines, keys))
    (line,) = lines
    return Figure(report, date, line[report.plot.by] if report.plot else column, line, column)


def _metric(db: Connection, date: dt.date, name: str, known: Iterable[Report]) -> Figure:
    metrics: list[str] = []
    for report in known:
        if report.plot and columns_of(db, report.name):
            for line in _lines(db, date, report.name, {}):
                metrics.append(line[report.plot.by])
                if metrics[-1] == name:
                    return Figure(report, date, name, line, report.plot.value)
    has = f"{date} has {', '.join(metrics)}" if metrics else f"{date} has none: materialize metrics"
    raise PermanentFailure(
        f"No metric of the day is named {name}. {has}. A figure of another report is named by "
        "REPORT COLUMN key=value."
    )


def _computed(db: Connection, date: dt.date, report: Report) -> list[str]:
    """The columns of a report's table. Raises PermanentFailure if it has not the day."""
    given = {"report": report.name, "day": date}
    if not db.execute(statement("report_tables/is_stored"), given).fetchall():
        raise PermanentFailure(
            f"{report.name} of {date} is not computed: materialize metrics of that day."
        )
    return [column["name"] for column in columns_of(db, report.name)]


def _lines(db: Connection, date: dt.date, report: str, keys: Mapping[str, str]) -> list[Row]:
    wanted = [sql.SQL("report_date = {}").format(date)]
    wanted += [
        sql.SQL("{}::text = {}").format(sql.Identifier(name), text) for name, text in keys.items()
    ]
    query = sql.SQL("SELECT * FROM {} WHERE {} ORDER BY 1").format(
        sql.Identifier(report), sql.SQL(" AND ").join(wanted)
    )
    return db.execute(query).fetchall()


def _which(report: Report, date: dt.date, lines: Sequence[Row], keys: Mapping[str, str]) -> str:
    """Why the keys name no line, or several, and what to do."""
    given = " ".join(f"{key}={value}" for key, value in keys.items())
    about = f"with {given}" if given else "at all"
    if not lines:
        return (
            f"{report.name} of {date} has no line {about}. Names are those in its table, not those "
            "that readers gave."
        )
    named = [name for name, column in report.columns.items() if column.kind == "dimension"]
    named = [report.plot.by] if report.plot else named or list(DIMENSIONS)
    missing = [name for name in named if name in lines[0] and name not in keys]
    return (
        f"{report.name} of {date} has {len(lines)} such lines. Name one, with "
        f"{' '.join(f'{name}=…' for name in missing)}."
    )

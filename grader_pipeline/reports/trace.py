"""Where a figure comes from: the attempts behind it, and each one's element as the API sent it.

A figure is a metric of a day, or a column of one line of a report. ``behind.py`` says which
attempts are behind it. An attempt's element is found in the answers of its day, those of the newest
load first: the first element with the key and the values that the table holds. So an attempt of an
earlier load is shown from the answer that gave it, whatever later answers had.

Source: the reports' tables, grader, grader_rejected, load_history, and the answers in
GRADER_STORAGE. Times are UTC. What this gives names learners: it is for a terminal, not for a log.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any

import psycopg
from psycopg import sql
from upath import UPath

from grader_pipeline import storage
from grader_pipeline.attempts.columns import NAMES
from grader_pipeline.attempts.response import unpacked, unpacked_sha256
from grader_pipeline.attempts.validation import decoded_elements
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.reports import behind
from grader_pipeline.reports.behind import DIMENSIONS, ELEMENTS, REJECTED, Behind
from grader_pipeline.reports.definition import Report, Row, place
from grader_pipeline.reports.privacy import OTHERS
from grader_pipeline.reports.tables import columns_of
from grader_pipeline.resources.connections import cause
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

_AT_ONCE = 50_000
"""Attempts looked up at once. The answers of their day are read once for so many."""


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


@dataclass(frozen=True)
class Traced:
    """An element of an answer that is behind a figure, and the attempt that it became."""

    attempt: Row | None
    """A row of the figure's query. None: the element became no attempt, or is no attempt's."""
    position: int | None = None
    """Its place in the answer, from 0. None: no answer that is kept has it."""
    sha256: str | None = None
    """The hash of that answer, unpacked."""
    text: str | None = None
    """The element as received."""
    reasons: tuple[str, ...] = ()
    """Why it was refused."""


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


def trace(db: Connection, figure: Figure) -> Iterator[Traced]:
    """Everything behind a figure, oldest first, in bounded memory.

    Raises PermanentFailure if the report's file has a wrong condition.
    """
    try:
        with db.cursor("behind") as rows:
            rows.itersize = 10_000
            rows.execute(figure.query)
            if figure.behind.period in {ELEMENTS, REJECTED}:
                yield from _elements(db, figure, rows)
                return
            zone = Settings().timezone
            for date, attempts in groupby(rows, lambda row: _school_day(row, zone)):
                while chunk := list(islice(attempts, _AT_ONCE)):
                    yield from _with_elements(db, date, chunk)
    except psycopg.errors.SyntaxErrorOrAccessRuleViolation as error:
        line = figure.report.lines.get(f"behind {figure.name}")
        raise PermanentFailure(
            f"{place(figure.report.path, line)}: the attempts behind {figure.name} cannot be "
            f"queried: {cause(error)}."
        ) from None


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


def _school_day(row: Row, zone: dt.tzinfo) -> dt.date:
    moment: dt.datetime = row["created_at"]
    return moment.replace(tzinfo=dt.UTC).astimezone(zone).date()


def _with_elements(db: Connection, date: dt.date, attempts: Sequence[Row]) -> Iterator[Traced]:
    """Each of a day's attempts with its element, in their order."""
    wanted = {tuple(attempt[name] for name in NAMES) for attempt in attempts}
    found: dict[tuple[Any, ...], Traced] = {}
    for sha256, path in _answers(db, date):
        if path is None or len(found) == len(wanted):
            continue
        with unpacked(path.open("rb")) as body:
            for position, element, values in decoded_elements(body):
                if values in wanted and values not in found:
                    found[values] = Traced(None, position, sha256, bytes(element).decode())
    for attempt in attempts:
        there = found.get(tuple(attempt[name] for name in NAMES), Traced(None))
        yield replace(there, attempt=attempt)


def _elements(db: Connection, figure: Figure, rejected: Iterator[Row]) -> Iterator[Traced]:
    """The elements of the answer that the ledger is about, or those of them in quarantine."""
    only_rejected = figure.behind.period == REJECTED
    refused = next(rejected, None)
    sha256, path = next(_answers(db, figure.date), (None, None))
    if path is not None:
        with unpacked(path.open("rb")) as body:
            for position, element, _ in decoded_elements(body):
                reasons: tuple[str, ...] = ()
                if refused and refused["position"] == position:
                    reasons, refused = tuple(refused["reasons"]), next(rejected, None)
                if reasons or not only_rejected:
                    yield Traced(None, position, sha256, bytes(element).decode(), reasons)
    # Without the answer, quarantine has the texts of what was refused.
    while refused:
        yield Traced(None, refused["position"], None, refused["row"], tuple(refused["reasons"]))
        refused = next(rejected, None)


def _answers(db: Connection, date: dt.date) -> Iterator[tuple[str, UPath | None]]:
    """The answers that attempts of the day were loaded from, the newest load first.

    None in place of the path if the answer is not stored any more.
    """
    paths = {storage.kept_sha256(path): path for path in storage.answers(date)}
    if current := paths.pop(None, None):
        paths.setdefault(unpacked_sha256(current.open("rb")), current)
    loads = db.execute(statement("reading/loaded_answers"), {"day": date}).fetchall()
    for sha256 in dict.fromkeys(load["kept_sha256"] for load in loads):
        yield sha256, paths.get(sha256)

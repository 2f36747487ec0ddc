"""Where a figure comes from: the attempts behind it, and each one's element as the API sent it.

``figure.py`` finds a figure, ``behind.py`` says which attempts are behind it. An attempt's element
is found in the answers of its day, those of the newest load first: the first element with the key
and the values that the table holds. So an attempt of an earlier load is shown from the answer that
gave it, whatever later answers had.

Source: grader, grader_rejected, load_history, and the answers in GRADER_STORAGE. Times are UTC.
What this gives names learners: it is for a terminal, not for a log.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any

import psycopg
from upath import UPath

from grader_pipeline import storage
from grader_pipeline.attempts.columns import NAMES
from grader_pipeline.attempts.response import unpacked, unpacked_sha256
from grader_pipeline.attempts.validation import decoded_elements
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.object_store import open_file
from grader_pipeline.reports.behind import ELEMENTS, REJECTED
from grader_pipeline.reports.definition import Row, place
from grader_pipeline.reports.figure import Figure
from grader_pipeline.resources.connections import cause
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

_WRONG = (
    psycopg.errors.SyntaxErrorOrAccessRuleViolation, psycopg.errors.ReadOnlySqlTransaction,
)  # fmt: skip
_AT_ONCE = 50_000
"""Attempts looked up at once. The answers of their day are read once for so many."""


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


def trace(db: Connection, figure: Figure) -> Iterator[Traced]:
    """Everything behind a figure, oldest first, in bounded memory.

    From then on, the transaction only reads. Raises PermanentFailure if the report's file has a
    wrong condition, or one that writes.
    """
    db.execute(statement("report_tables/only_read"))
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
    except _WRONG as error:
        line = figure.report.lines.get(f"behind {figure.name}")
        raise PermanentFailure(
            f"{place(figure.report.path, line)}: the attempts behind {figure.name} cannot be "
            f"queried: {cause(error)}."
        ) from None


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
        with unpacked(open_file(path)) as body:
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
        with unpacked(open_file(path)) as body:
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
        paths.setdefault(unpacked_sha256(open_file(current)), current)
    loads = db.execute(statement("reading/loaded_answers"), {"day": date}).fetchall()
    for sha256 in dict.fromkeys(load["kept_sha256"] for load in loads):
        yield sha256, paths.get(sha256)

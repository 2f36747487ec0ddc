"""What PostgreSQL refuses of a report: its message, with the file and the line that it is about."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from grader_pipeline.reports.definition import Report, ReportError, place

COLUMNS = "CREATE TEMPORARY TABLE fresh_report ON COMMIT DROP AS\n{query}\nWITH NO DATA"
ROWS = "INSERT INTO fresh_report\n{query}"
_WRITES = (
    psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.ActiveSqlTransaction,
    # A WITH that writes: the server supports it only at the top level.
    psycopg.errors.FeatureNotSupported,
)  # fmt: skip
_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")


@contextmanager
def explained(report: Report) -> Iterator[None]:
    """Raise ReportError if the report has a problem, or in place of an error of its statements."""
    if report.problem:
        raise ReportError(report.problem)
    try:
        yield
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise ReportError(_explain(report, error)) from error


@contextmanager
def only_reading(report: Report) -> Iterator[None]:
    """Raise ReportError in place of the error of a query that writes."""
    try:
        yield
    except _WRITES as error:
        said = _explain(report, error, ROWS)
        raise ReportError(f"{said} A report only reads: move out of it what writes.") from None


def _explain(report: Report, error: psycopg.Error, form: str = COLUMNS) -> str:
    """The server's message, with the file and the line that it is about."""
    position = error.diag.statement_position
    sent = form.format(query=_as_sent(report.query))
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

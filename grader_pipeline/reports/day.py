"""A day as the mail tells it: its numbers beside earlier ones, and what became of its rows.

Source: daily_metrics, grader_load and grader_rejected. No learner is in it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement

MAIN_METRICS = ("submits", "successful_submits", "unique_users")
"""The metrics that stand out and are drawn. All others follow in the order of their places."""


@dataclass(frozen=True)
class Metric:
    """One number of the day; None where a day was not computed."""

    metric: str
    label: str
    value: Decimal | None
    day_before: Decimal | None
    week_before: Decimal | None


@dataclass(frozen=True)
class Accounting:
    """What became of the rows of the day's response, in rows, and why some were rejected."""

    received: int
    loaded: int
    already_there: int
    duplicates: int
    rejected: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class DayReport:
    """Everything the mail says about a day."""

    date: dt.date
    metrics: tuple[Metric, ...]
    accounting: Accounting | None
    history: dict[str, dict[dt.date, Decimal | None]]
    """Label of each main metric -> its values of the thirty days that end with this one."""


def read_day(db: Connection, day: dt.date) -> DayReport:
    """Read a day's report. What was never computed is simply absent."""
    key = {"report_date": day}
    rows = db.execute(statement("mail/day_metrics"), key).fetchall()
    metrics = [Metric(**row) for row in rows]
    return DayReport(
        day, tuple(metrics), _read_accounting(db, day), _read_history(db, day, metrics)
    )


def read_main_numbers(
    db: Connection, days: Sequence[dt.date]
) -> dict[str, dict[dt.date, Decimal | None]]:
    """Read the main metrics of some days: label -> day -> value, the labels in their order."""
    rows = db.execute(
        statement("mail/main_metrics"), {"report_dates": list(days), "metrics": list(MAIN_METRICS)}
    ).fetchall()
    numbers: dict[str, dict[dt.date, Decimal | None]] = {}
    for row in rows:
        numbers.setdefault(row["label"], {})[row["report_date"]] = row["value"]
    return numbers


def _read_accounting(db: Connection, day: dt.date) -> Accounting | None:
    row = db.execute(statement("mail/accounting"), {"report_date": day}).fetchone()
    if row is None:
        return None
    reasons = db.execute(statement("mail/rejected_reasons"), {"report_date": day}).fetchall()
    return Accounting(**row, reasons=tuple((r["reason"], r["rows"]) for r in reasons))


def _read_history(
    db: Connection, day: dt.date, metrics: list[Metric]
) -> dict[str, dict[dt.date, Decimal | None]]:
    labels = {found.metric: found.label for found in metrics if found.metric in MAIN_METRICS}
    rows = db.execute(
        statement("mail/history"), {"report_date": day, "metrics": list(labels)}
    ).fetchall()
    history: dict[str, dict[dt.date, Decimal | None]] = {label: {} for label in labels.values()}
    for row in rows:
        history[labels[row["metric"]]][row["report_date"]] = row["value"]
    return history

"""A day's metrics beside earlier ones, and what became of its elements. The mail shows it.

Source: daily_metrics, grader_load and grader_rejected. None of it names a learner.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grader_pipeline.reports.units import Cell, cell
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement

MAIN_METRICS = ("submits", "successful_submits", "unique_users")
"""The metrics of daily_metrics that are shown large and in charts and pictures, by name."""

HISTORY_DAYS = 30
"""How many days the mail's picture has."""

LOOKS_BACK_DAYS = 28
"""How many days before a day are named in its mail if they are not loaded or computed yet."""

Series = dict[str, dict[dt.date, Decimal | None]]
"""Label (or name) -> day -> value, a line of a chart or picture for each label."""


@dataclass(frozen=True)
class Metric:
    """One metric of the day. A value is None where a day was not computed."""

    metric: str
    label: str
    value: Decimal | None
    unit: str | None
    """A word of ``units.Unit``."""
    text: str | None
    """What readers see in place of the value."""
    day_before: Decimal | None
    week_before: Decimal | None

    @property
    def shown(self) -> Cell:
        """What readers see."""
        return cell(self.value, self.unit, self.text)


@dataclass(frozen=True)
class Accounting:
    """The ledger's counts of the day, in elements, and how many were rejected for each reason."""

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
    history: Series
    """The main metrics of the thirty days that end with this one."""


@dataclass(frozen=True)
class MetricChange:
    """A metric of a day that is no longer what was mailed: value and text, before and now."""

    label: str
    unit: str | None
    before: Decimal | None
    text_before: str | None
    now: Decimal | None
    text_now: str | None

    @property
    def shown_before(self) -> Cell:
        """What readers saw."""
        return cell(self.before, self.unit, self.text_before)

    @property
    def shown_now(self) -> Cell:
        """What readers see."""
        return cell(self.now, self.unit, self.text_now)


Changes = dict[dt.date, list[MetricChange]]
"""Day -> the metrics that changed, the newest day first."""


def read_day(db: Connection, day: dt.date) -> DayReport:
    """Read a day's report. What was never computed is absent."""
    rows = db.execute(statement("mail/compared_metrics"), {"report_date": day}).fetchall()
    history = [day - dt.timedelta(days=back) for back in range(HISTORY_DAYS)] if rows else []
    return DayReport(
        day,
        tuple(Metric(**row) for row in rows),
        _read_accounting(db, day),
        read_main_numbers(db, history),
    )


def read_main_numbers(db: Connection, days: Sequence[dt.date]) -> Series:
    """Read the main metrics of some days."""
    rows = db.execute(
        statement("mail/main_metrics"), {"report_dates": list(days), "metrics": list(MAIN_METRICS)}
    ).fetchall()
    return main_metrics(rows)


def read_metrics(db: Connection, days: Sequence[dt.date], names: Sequence[str]) -> Series:
    """Read some metrics of some days, by name."""
    given = {"report_dates": list(days), "metrics": list(names)}
    found: Series = {}
    for row in db.execute(statement("mail/main_metrics"), given).fetchall():
        found.setdefault(row["metric"], {})[row["report_date"]] = row["value"]
    return found


def main_metrics(rows: Iterable[Mapping[str, Any]]) -> Series:
    """Take the main metrics from rows of daily_metrics, in the order of MAIN_METRICS.

    They are found by name. The label is that of the newest day. A metric without rows is absent.
    """
    labels: dict[str, str] = {}
    values: dict[str, dict[dt.date, Decimal | None]] = {}
    for row in sorted(rows, key=lambda row: row["report_date"]):
        labels[row["metric"]] = row["label"]
        values.setdefault(row["metric"], {})[row["report_date"]] = row["value"]
    return {labels[name]: values[name] for name in MAIN_METRICS if name in values}


def days_that_wait(
    db: Connection, days: Iterable[dt.date], unfinished: Iterable[dt.date] = ()
) -> list[dt.date]:
    """The days, oldest first, that can still change what the reports of ``days`` say.

    They wait to be computed again: a day itself, or one of the LOOKS_BACK_DAYS before it. Or they
    are one of the latter and ``unfinished``: a run loads or computes them.
    """
    found = set()
    for is_running, candidates in (
        (False, waiting_days(db, only_outdated=True)),
        (True, unfinished),
    ):
        reach = {
            day - dt.timedelta(days=back)
            for day in days
            for back in range(1 if is_running else 0, LOOKS_BACK_DAYS + 1)
        }
        found.update(reach.intersection(candidates))
    return sorted(found)


def _read_accounting(db: Connection, day: dt.date) -> Accounting | None:
    row = db.execute(statement("mail/accounting"), {"report_date": day}).fetchone()
    if row is None:
        return None
    reasons = db.execute(statement("mail/rejected_reasons"), {"report_date": day}).fetchall()
    return Accounting(**row, reasons=tuple((r["reason"], r["rows"]) for r in reasons))

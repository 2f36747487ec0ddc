"""Which attempts are behind a figure: what a report's file says, and the query that it means.

``-- behind NAME: PERIOD of DIMENSION and DIMENSION, CONDITION`` in a report's header. NAME is a
column of the report. In a report of metrics (daily_metrics, data_health) it is a metric, or the
beginning of metrics' names: ``rejected_`` is that of ``rejected_too_long``.

PERIOD is one of:

- ``day``, ``7 days``, ``all``: the attempts of the newest days up to the report's, or of all,
- ``period``: those of the period that the line's column ``period`` names,
- ``elements``: no attempts, but all elements of the answer that the ledger's line is about,
- ``rejected``: the elements in quarantine.

The attempts are those of the line's course, task, learner and hour, or only ``of`` the dimensions
that are named. CONDITION, which may be left out, is SQL over the columns of the view ``attempt``;
for ``rejected``, over those of the table ``grader_rejected``. Without a ``behind`` line, they are
the attempts of the report's ``history``.

There may be more attempts than the figure counts, where its definition needs them: who is new, is
known from all days. Applied to these attempts, the definition gives the figure.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from grader_pipeline.partitions import window
from grader_pipeline.settings import Settings

DIMENSIONS = ("course", "task", "user_id", "hour")
"""Columns of reports that choose attempts, if a line has them."""

ELEMENTS, REJECTED = "elements", "rejected"

_BEHIND = re.compile(
    r"(?P<period>day|[1-9]\d{0,3} days|all|period|elements|rejected)"
    r"(?: of (?P<dimensions>\w+(?: and \w+)*))?"
    r"(?:, *(?P<condition>.*\S))?",
    re.DOTALL,
)
_DAYS = re.compile(r"(\d+) (?:day|дн)")


@dataclass(frozen=True)
class Behind:
    """What a ``behind`` line says."""

    period: str
    dimensions: tuple[str, ...] = DIMENSIONS
    condition: str | None = None


def read_behind(text: str | Behind) -> Behind:
    """Read a ``behind`` line's text. Raises ValueError."""
    if isinstance(text, Behind):
        return text
    found = _BEHIND.fullmatch(text)
    dimensions = found and found["dimensions"]
    named = tuple(dimensions.split(" and ")) if dimensions else DIMENSIONS
    is_wrong = not found or not set(named) <= set(DIMENSIONS)
    if is_wrong or (found and found["period"] == ELEMENTS and (dimensions or found["condition"])):
        raise ValueError(
            "what is behind a figure is written as `day|28 days|all|period|rejected`, then perhaps "
            f"` of course and task` (of {', '.join(DIMENSIONS)}), then perhaps `, CONDITION`; or as"
            " `elements` alone."
        )
    assert found is not None  # noqa: S101
    return Behind(found["period"], named, found["condition"])


def of_history(days: int | None) -> Behind:
    """What is behind a figure of a report that reads so many days, or all."""
    return Behind("all" if days is None else f"{days} days")


def attempts_query(about: Behind, date: dt.date, line: Mapping[str, Any]) -> sql.Composed:
    """The attempts behind a figure of ``line``, a line of a report of the day, oldest first.

    It has no parameters: all values are in it, quoted.
    """
    day = window(date)
    wanted = []
    if (days := _days(about, line)) is not None:
        first = window(date - dt.timedelta(days=days - 1)).start.replace(tzinfo=None)
        wanted.append(sql.SQL("created_at >= {}").format(first))
    wanted.append(sql.SQL("created_at < {}").format(day.end.replace(tzinfo=None)))
    for name in about.dimensions:
        if line.get(name) is not None:
            column = _hour() if name == "hour" else sql.Identifier(name)
            wanted.append(sql.SQL("{} = {}").format(column, line[name]))
    if about.condition:
        wanted.append(sql.SQL("({})").format(sql.SQL(about.condition)))
    return sql.SQL(_ATTEMPTS).format(
        zone=Settings().grader_timezone, wanted=sql.SQL("\n      AND ").join(wanted)
    )


def rejected_query(about: Behind, date: dt.date) -> sql.Composed:
    """The elements of a day that are in quarantine, by position. It has no parameters."""
    wanted = [sql.SQL("report_date = {}").format(date)]
    if about.condition:
        wanted.append(sql.SQL("({})").format(sql.SQL(about.condition)))
    return sql.SQL(_REJECTED).format(wanted=sql.SQL("\n  AND ").join(wanted))


def _days(about: Behind, line: Mapping[str, Any]) -> int | None:
    """So many days up to the line's own. None: all of them."""
    text = str(line.get("period", "all")) if about.period == "period" else about.period
    if text in {"day", "день"}:
        return 1
    found = _DAYS.match(text)
    return int(found[1]) if found else None


def _hour() -> sql.Composed:
    zone = Settings().grader_timezone
    return sql.SQL("extract(hour FROM created_at AT TIME ZONE 'UTC' AT TIME ZONE {})").format(zone)


# Columns of an attempt as it is stored come from grader: the view names course and task.
_ATTEMPTS = """SELECT
    behind.created_at,
    behind.created_at AT TIME ZONE 'UTC' AT TIME ZONE {zone} AS school_time,
    behind.course, behind.task, grader.*
FROM (
    SELECT *
    FROM attempt
    WHERE {wanted}
) AS behind
JOIN grader
    ON grader.created_at = behind.created_at AND grader.user_id = behind.user_id COLLATE "C"
ORDER BY behind.created_at, behind.user_id"""

_REJECTED = """SELECT position, reasons, row
FROM grader_rejected
WHERE {wanted}
ORDER BY position"""

"""What runs that write the sheet share: the days that wait, the labels written, what it is made of.

A run notes its day before it waits for the sheet. Who gets the sheet writes all days that wait. A
run that then finds its day written need not write it again.

Source: the tables sheet_request and sheet_label.
"""

import datetime as dt
import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from psycopg import sql

from grader_pipeline.reports.definition import Report
from grader_pipeline.reports.privacy import may_be_shown
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.cells import Key, labels_of
from grader_pipeline.sheet.table import Table
from grader_pipeline.statements import statement

_READ_TOO = ("given_name", "excluded_learner", "report_day", "rollup_day")
# Who writes a row leaves its transaction's number there. It takes 10 ms for 100,000 rows.
_STATE = sql.SQL("SELECT {}, count(*) AS rows, sum(xmin::text::bigint)::text AS sum FROM {}")
_NEWEST = sql.SQL(" WHERE report_date > (SELECT max(report_date) FROM {}) - {}")

_OTHERS_SECONDS = 1
"""So long a write waits for other runs. A backfill of 60 days then makes 16 writes."""
_ASK_SECONDS = 0.1

_MAIN = ""
"""Stands for the worksheet of GOOGLE_SHEETS_WORKSHEET, which may get another name."""


def request_day(db: Connection, day: dt.date) -> int:
    """Note that the sheet shall show a day, and give the number of the request.

    Commit it before waiting for the sheet.
    """
    row = db.execute(statement("sheet/request_day"), {"day": day}).fetchone() or {}
    return int(row["id"])


def place_of(db: Connection, request: int) -> str | None:
    """Where the sheet shows the day of a request, if somebody has written it since."""
    row = db.execute(statement("sheet/take_place"), {"request": request}).fetchone()
    return str(row["place"]) if row else None


def requested_days(db: Connection) -> dict[int, dt.date]:
    """The days that wait for the sheet, by request. Read this before what is written."""
    rows = db.execute(statement("sheet/requested")).fetchall()
    return {row["id"]: row["report_date"] for row in rows}


def await_others(db: Connection, under_way: Callable[[], int]) -> None:
    """Wait for requests of the runs that are under way, for a second at most.

    ``under_way`` gives how many there are, those that have requested their day included.
    """
    until = time.monotonic() + _OTHERS_SECONDS
    while len(requested_days(db)) < under_way() and time.monotonic() < until:
        time.sleep(_ASK_SECONDS)


def note_place(db: Connection, requests: Collection[int], place: str) -> None:
    """Note that the sheet shows the days of these requests."""
    db.execute(statement("sheet/note_place"), {"requests": list(requests), "place": place})


def drop_request(db: Connection, request: int) -> None:
    """Remove a request that is answered."""
    db.execute(statement("sheet/drop_request"), {"request": request})


def made_of(db: Connection, reports: Iterable[Report]) -> str | None:
    """A text that is another one once a row has changed that the sheet is made of, or a setting.

    Who changed it does not matter. Read this before the rows. Rows of days that are not shown do
    not count: years of them are a million. The rows of the rollups are too many: each load changes
    rollup_day. None for a Google Sheet: readers may have changed it, so it is always read.
    """
    settings = Settings()
    if settings.has_google_sheet:
        return None
    tables = {report.name: report.sheet for report in reports if may_be_shown(report)}
    tables |= dict.fromkeys(_READ_TOO, "yes")
    found = db.execute(statement("sheet/existing_tables"), {"tables": [*tables]}).fetchall()
    states = [_state(row["name"], tables[row["name"]]) for row in found]
    rows = db.execute(sql.SQL(" UNION ALL ").join(states)).fetchall()
    where = db.info.host, db.info.port, db.info.dbname
    return repr((where, settings, [tuple(row.values()) for row in rows]))


def _state(table: str, shows: int | str | None) -> sql.Composed:
    """The query of what a table is like, as far as ``Report.sheet`` shows it."""
    state = _STATE.format(sql.Literal(table), sql.Identifier(table))
    if not isinstance(shows, int):
        return state
    return state + _NEWEST.format(sql.Identifier(table), sql.Literal(shows))


def with_known_labels(db: Connection, tables: Sequence[Table]) -> list[Table]:
    """Give the tables with the labels that were ever written, and note those of now."""
    known: dict[str, set[Key]] = defaultdict(set)
    for row in db.execute(statement("sheet/labels")).fetchall():
        known[row["worksheet"]].add(tuple(json.loads(row["label"])))
    found, worksheets, labels = [], [], []
    for table in tables:
        name = table.worksheet or _MAIN
        earlier = known.get(name)
        new = labels_of(table) - (earlier or set())
        worksheets += [name] * len(new)
        labels += [json.dumps(label, ensure_ascii=False) for label in sorted(new, key=str)]
        found.append(table.known_by(None if earlier is None else frozenset(earlier)))
    db.execute(statement("sheet/note_labels"), {"worksheets": worksheets, "labels": labels})
    return found

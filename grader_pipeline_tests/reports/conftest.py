"""Days put straight into the database, and their reports computed: the chain without its ends."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from grader_pipeline.partitions import school_day, window
from grader_pipeline.reports.definition import ReportError
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.rollups import roll_up
from grader_pipeline.reports.stored_days import before_load, open_calendar
from grader_pipeline.reports.tables import store_reports
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline_tests.reports.twin import Attempt

_OF_A_DAY = ("grader", "grader_load", "grader_rejected", "engagement_day", "engagement",
             "learner", "task", "rollup_day", "report_day", "report_failure",
             "grader_change", "outdated_record", "school_calendar")  # fmt: skip
REPORTS = {report.name: report for report in reports()}


def insert(db: Connection, attempts: Iterable[Attempt]) -> None:
    """Put attempts into the table ``grader``."""
    rows = [
        (
            a.user, "", a.sourcedid, a.url, a.verdict,
            a.type, a.at,
        )
        for a in attempts
    ]  # fmt: skip
    db.cursor().executemany(
        "INSERT INTO grader (user_id, oauth_consumer_key, lis_result_sourcedid,"
        " lis_outcome_service_url, is_correct, attempt_type, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (user_id, created_at) DO UPDATE SET is_correct = excluded.is_correct",
        rows,
    )


def without_numbers(report: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row without the numbers of learners: they depend on the order in which days are loaded."""
    lists = {column.listed_in for column in REPORTS[report].columns.values()}
    return {name: value for name, value in row.items() if name not in lists}


class School:
    """A database, and what the tests do with it."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres

    def load(self, day: dt.date, attempts: Iterable[Attempt]) -> None:
        """Store a day's attempts as its load does, and bring the rollups up to date."""
        with self.postgres.transaction() as db:
            insert(db, attempts)
            open_calendar(db)
            before_load(db, school_day(day.isoformat()))
            roll_up(db, school_day(day.isoformat()))

    def compute(self, day: dt.date, *names: str) -> None:
        """Compute the day's reports, and again what is stored of later days, as the asset does."""
        wanted = [REPORTS[name] for name in names or REPORTS]
        with self.postgres.transaction() as db:
            waiting = waiting_days(db, only_outdated=True)
        for date in [day, *waiting]:
            found = store_reports(self.postgres, wanted, window(date))
            for name, stored in found.items():
                assert not isinstance(stored, ReportError), f"{name}: {stored}"

    def rows(self, name: str, day: dt.date | None = None) -> list[dict[str, Any]]:
        """The stored rows of a report, without the order they are in and learners' numbers."""
        where = "" if day is None else "WHERE report_date = %s"
        rows = self.ask(f"SELECT * FROM {name} {where}", *([day] if day else []))
        return [without_numbers(name, row) for row in rows]

    def ask(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        with self.postgres.transaction() as db:
            return db.execute(query.encode(), parameters or None).fetchall()

    def forget(self) -> None:
        """Empty every table."""
        with self.postgres.transaction() as db:
            for table in (*_OF_A_DAY, *REPORTS):
                if db.execute("SELECT to_regclass(%s) AS x", [table]).fetchone()["x"]:
                    db.execute(f"DELETE FROM {table}".encode())


@pytest.fixture
def school(database_url: str) -> Iterator[School]:
    postgres = Postgres()
    yield School(postgres)
    postgres.close()

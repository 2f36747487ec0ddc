"""A report's file only reads: what it writes is an error of the report, and changes nothing."""

import datetime as dt
from pathlib import Path

import pytest

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.definition import ReportError
from grader_pipeline.reports.figure import find_figure
from grader_pipeline.reports.report_files import read_report
from grader_pipeline.reports.tables import Stored, store_reports
from grader_pipeline.reports.trace import trace
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import OK, X, at

DAY = dt.date(2023, 5, 31)
LATER = school_day("2023-05-31")
FUNCTIONS = """
CREATE FUNCTION empty_grader() RETURNS integer LANGUAGE sql AS 'DELETE FROM grader RETURNING 1';
CREATE SEQUENCE tickets;
"""
WRITES = {
    "DELETE": "WITH gone AS (DELETE FROM grader RETURNING 1)\nSELECT count(*) AS n FROM gone\n",
    "INSERT": "WITH more AS (\n  INSERT INTO excluded_learner (user_id) VALUES ('u1') RETURNING 1"
    "\n)\nSELECT count(*) AS n FROM more\n",
    "a function": "SELECT empty_grader() AS n\n",
    "a sequence": "SELECT nextval('tickets') AS n\n",
    "a lock": "SELECT count(*) AS n FROM (SELECT FROM grader FOR UPDATE) AS locked\n",
    "a setting": "SELECT set_config('transaction_read_only', 'off', true) AS n,"
    " empty_grader() AS gone\n",
}


@pytest.fixture
def stored(school: School) -> School:
    with school.postgres.transaction() as db:
        db.execute(FUNCTIONS)
    school.load(DAY, [at("09:00", f"u{number}", OK, X) for number in range(8)])
    return school


def store(school: School, path: Path, query: str) -> Stored | ReportError:
    path.write_text(f"-- title: Mine\n\n{query}WHERE %(report_date)s = DATE '{DAY}'")
    (found,) = store_reports(school.postgres, [read_report(path)], LATER).values()
    return found


@pytest.mark.parametrize("what", WRITES)
def test_a_report_that_writes_is_an_error_with_its_file_and_changes_nothing(
    stored: School, tmp_path: Path, what: str
) -> None:
    found = store(stored, tmp_path / "mine.sql", WRITES[what])
    assert isinstance(found, ReportError)
    assert str(found).startswith(f"{tmp_path / 'mine.sql'}")
    assert "A report only reads" in str(found)
    assert stored.ask("SELECT count(*) AS n FROM grader") == [{"n": 8}]
    assert stored.ask("SELECT count(*) AS n FROM excluded_learner") == [{"n": 0}]
    assert stored.ask("SELECT is_called FROM tickets") == [{"is_called": False}]
    assert stored.ask("SELECT to_regclass('mine') AS t") == [{"t": None}]


def test_a_report_that_writes_stops_no_other_report_of_the_day(
    stored: School, tmp_path: Path
) -> None:
    (wrong := tmp_path / "mine.sql").write_text(
        f"{WRITES['a function']}WHERE %(report_date)s IS NOT NULL"
    )
    (right := tmp_path / "other.sql").write_text(
        "SELECT count(*) AS n FROM grader WHERE %(report_date)s IS NOT NULL"
    )
    found = store_reports(stored.postgres, [read_report(wrong), read_report(right)], LATER)
    assert isinstance(found["mine"], ReportError)
    assert found["other"] == Stored(1, written=True)
    assert stored.ask("SELECT n FROM other") == [{"n": 8}]


def test_a_condition_of_a_report_that_writes_is_an_error_of_trace(
    stored: School, tmp_path: Path
) -> None:
    (path := tmp_path / "mine.sql").write_text(
        "-- title: Mine\n-- sheet: yes\n-- sum attempts of day: Попыток\n"
        "-- behind attempts: day, empty_grader() = 1\n\n"
        "SELECT count(*) AS attempts FROM grader WHERE %(report_date)s IS NOT NULL"
    )
    report = read_report(path)
    store_reports(stored.postgres, [report], LATER)
    with (
        pytest.raises(PermanentFailure, match=r"mine.sql, line 4: .* cannot execute DELETE"),
        stored.postgres.transaction() as db,
    ):
        list(trace(db, find_figure(db, {"mine": report}, DAY, ["mine", "attempts"], {})))
    assert stored.ask("SELECT count(*) AS n FROM grader") == [{"n": 8}]

"""The role grader_reader reads what reports show, and nothing that may name a learner."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from grader_pipeline.reports import readers
from grader_pipeline.reports.readers import BY_HAND, LEDGERS, ROLE
from grader_pipeline.reports.report_files import reports
from grader_pipeline.resources.migrations import relations
from grader_pipeline.roles.migrate import migrate
from grader_pipeline.settings import Settings
from grader_pipeline_tests.reports.conftest import School, school
from grader_pipeline_tests.roles.test_migrate import role

__all__ = ["role", "school"]


def readable(url: str) -> dict[str, set[str]]:
    """The tables and views of the pipeline that the role reads, each with the columns."""
    with psycopg.connect(url) as db:
        found = db.execute(
            "SELECT relname, array_agg(attname::text) FROM pg_class"
            " JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm')"
            "   AND has_column_privilege(%s, pg_class.oid, attname, 'SELECT')"
            " GROUP BY relname",
            [ROLE],
        )
        return {table: set(columns) for table, columns in found}


def test_the_role_reads_the_declared_columns_of_shown_reports_and_the_ledger(
    database_url: str,
) -> None:
    assert any(line.startswith(f"Role {ROLE}: reads") for line in migrate(Settings(), database_url))
    found = readable(database_url)
    shown = {report.name: report for report in reports() if report.sheet}
    assert {*found} == {*shown, *LEDGERS}
    for name, report in shown.items():
        if report.sheet == "main":
            assert {"report_date", "metric", "label", "value"} <= found[name]
        else:
            assert found[name] == {"report_date", *report.columns}
    assert {"grader", "grader_rejected", "learner", "engagement"} <= {*relations()} - {*found}


def test_somebody_with_the_role_reads_a_day_and_writes_nothing(
    school: School, database_url: str, role: str
) -> None:
    migrate(Settings(), database_url)
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(f"GRANT {ROLE} TO {role}")
    with psycopg.connect(make_conninfo(database_url, user=role), autocommit=True) as colleague:
        colleague.execute("SELECT report_date, label, value FROM daily_metrics").fetchall()
        for statement in (
            "DELETE FROM daily_metrics", "SELECT * FROM grader", "SELECT * FROM learner",
            "SELECT * FROM mail_recipient", "CREATE TABLE mine (x integer)",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                colleague.execute(statement.encode())


def test_a_report_that_comes_later_and_a_column_that_is_declared_no_more_follow(
    database_url: str,
) -> None:
    migrate(Settings(), database_url)
    before = readable(database_url)
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("DROP TABLE tasks")
        admin.execute("ALTER TABLE hours ADD COLUMN former integer")
        admin.execute(f"GRANT SELECT ON hours TO {ROLE}")
    migrate(Settings(), database_url)
    assert readable(database_url) == before


def test_where_the_role_may_not_be_made_migrate_says_who_can_and_how(
    database_url: str, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Roles are the server's, and it may have this one from another test.
    monkeypatch.setattr(readers, "ROLE", "grader_reader_of_nobody")
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(f"GRANT ALL ON DATABASE {admin.info.dbname} TO {role}")
        admin.execute(f"GRANT ALL ON SCHEMA public TO {role}")
    said = migrate(Settings(), make_conninfo(database_url, user=role))
    assert BY_HAND in said[-1]
    assert "administrator" in said[-1]

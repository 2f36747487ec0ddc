"""The sensor of waiting days starts the job refresh when there is work for it, and only then."""

from collections.abc import Iterator

import dagster as dg
import pytest

from grader_pipeline.definitions import build_defs
from grader_pipeline.partitions import school_day
from grader_pipeline.refresh import waiting_days_sensor
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.rollups import roll_up
from grader_pipeline.reports.stored_days import open_calendar
from grader_pipeline.reports.tables import store_reports
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Postgres

DAYS = ("2023-05-29", "2023-05-30", "2023-05-31")


@pytest.fixture
def postgres(database_url: str) -> Iterator[Postgres]:
    """Three days, stored and reported, whose records Dagster does not have."""
    found = Postgres()
    for day in DAYS:
        with found.transaction() as db:
            open_calendar(db)
            roll_up(db, school_day(day))
        store_reports(found, reports(), school_day(day))
    yield found
    found.close()


def settle(postgres: Postgres) -> None:
    with postgres.transaction() as db:
        db.execute("DELETE FROM outdated_record")


def evaluate(instance: dg.DagsterInstance, postgres: Postgres) -> dg.RunRequest | dg.SkipReason:
    resources = {"postgres": postgres}
    with dg.build_sensor_context(instance=instance, resources=resources) as context:
        found = waiting_days_sensor(context)
    assert isinstance(found, dg.RunRequest | dg.SkipReason)
    return found


def test_without_waiting_days_nothing_is_started(postgres: Postgres) -> None:
    settle(postgres)
    with dg.DagsterInstance.ephemeral() as instance:
        assert evaluate(instance, postgres) == dg.SkipReason("No day waits.")


def test_waiting_days_start_one_run_and_another_one_only_after_a_change(postgres: Postgres) -> None:
    settle(postgres)
    with postgres.transaction() as db:
        db.execute(
            "INSERT INTO grader (user_id, attempt_type, created_at)"
            " VALUES ('a', 'run', '2023-05-30 10:00')"
        )
    with dg.DagsterInstance.ephemeral() as instance:
        first = evaluate(instance, postgres)
        assert isinstance(first, dg.RunRequest)
        assert evaluate(instance, postgres) == first
        with postgres.transaction() as db:
            db.execute("UPDATE grader SET created_at = created_at - interval '1 day'")
        second = evaluate(instance, postgres)
        assert isinstance(second, dg.RunRequest)
        assert second.run_key != first.run_key
        job = build_defs({"postgres": postgres}).resolve_job_def("refresh")
        assert job.execute_in_process(instance=instance).success
        with postgres.transaction() as db:
            assert waiting_days(db) == []
        assert evaluate(instance, postgres) == dg.SkipReason("No day waits.")


def test_waiting_days_wait_for_runs_that_are_under_way(postgres: Postgres) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(build_defs().resolve_job_def("grader_day"))
        assert evaluate(instance, postgres) == dg.SkipReason(
            "3 days wait for the end of the runs under way."
        )
        instance.delete_run(run.run_id)
        assert isinstance(evaluate(instance, postgres), dg.RunRequest)


def test_tables_that_are_not_those_of_sql_schema_are_left_alone(postgres: Postgres) -> None:
    with postgres.transaction() as db:
        db.execute("ALTER TABLE grader DISABLE TRIGGER mark_change")
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs({"postgres": postgres}).resolve_job_def("refresh")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        assert "differs from sql/schema" in str(result.get_step_failure_events())
        with postgres.transaction() as db:
            assert len(waiting_days(db)) == len(DAYS)


def test_two_processes_never_compute_the_same_days_again(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    other = Postgres()
    with other.alone("refresh") as is_alone, dg.DagsterInstance.ephemeral() as instance:
        assert is_alone
        job = build_defs({"postgres": postgres}).resolve_job_def("refresh")
        with caplog.at_level("INFO", logger="grader_pipeline"):
            assert job.execute_in_process(instance=instance).success
        assert "another process is at it" in caplog.text
        with postgres.transaction() as db:
            assert len(waiting_days(db)) == len(DAYS)
    other.close()

"""Attempts changed by others are in the reports after the day's next run, or after recompute."""

import datetime as dt
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import dagster as dg
import psycopg
import pytest

from grader_pipeline.cli import recompute
from grader_pipeline.definitions import build_defs
from grader_pipeline.reports.stored_days import changed_days
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.assets.conftest import (
    Run,
    failure_of,
    grader,
    instance,
    query,
    run_day,
)
from grader_pipeline_tests.grader import Grader, attempt, learner, rows

__all__ = ["grader", "instance", "query", "run_day"]

DAY, NEXT = "2023-05-31", "2023-06-01"
ALL = Namespace(start=None, end=None)
ANN, BOB = learner("ann"), learner("bob")

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def change(database_url: str) -> Callable[..., None]:
    """Somebody changes the table with a tool of theirs."""

    def run(text: str, *parameters: object) -> None:
        with psycopg.connect(database_url) as db:
            db.execute(text.encode(), parameters)

    return run


def of_learners(day: str, *users: str) -> list[dict[str, Any]]:
    return [
        attempt(f"{day} {hour:02}:00:00", user, verdict=1) for user in users for hour in (8, 9, 10)
    ]


def figures(query: Query, day: str = DAY) -> tuple[int, int, int]:
    """Submits of the day as daily_metrics, hours and the table have them."""
    found = query(
        "SELECT (SELECT value FROM daily_metrics WHERE metric = 'submits' AND report_date = %s),"
        " (SELECT sum(submits) FROM hours WHERE report_date = %s),"
        " (SELECT count(*) FROM grader WHERE attempt_type = 'submit'"
        "  AND (created_at + interval '3 hours')::date = %s)",
        day, day, day,
    )  # fmt: skip
    return tuple(map(int, found[0]))


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def test_a_learner_deleted_by_hand_is_gone_from_all_reports_of_the_day(
    run_day: Run, grader: Grader, query: Query, change: Callable[..., None]
) -> None:
    grader.answer = rows(of_learners(DAY, ANN, BOB))
    assert checks(run_day(DAY))["table_was_changed"]
    change("DELETE FROM grader WHERE user_id = %s", ANN)
    grader.answer = rows(of_learners(DAY, BOB))
    result = run_day(DAY)
    assert result.success
    assert not checks(result)["table_was_changed"]
    assert figures(query) == (3, 3, 3)
    assert checks(run_day(DAY))["table_was_changed"]


def test_a_day_deleted_by_hand_and_no_longer_sent_has_reports_of_zeros(
    run_day: Run, grader: Grader, query: Query, change: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("GRADER_MIN_VOLUME_SHARE", "0")
    grader.answer = rows(of_learners(DAY, ANN))
    assert run_day(DAY).success
    change("TRUNCATE grader")
    grader.answer = rows([])
    result = run_day(DAY)
    assert result.success
    assert not checks(result)["table_was_changed"]
    assert figures(query) == (0, 0, 0)


@pytest.mark.parametrize(
    ("changed", "submits"),
    [
        ("UPDATE grader SET attempt_type = 'run' WHERE user_id = %s", 3),
        ("UPDATE grader SET created_at = created_at - interval '1 day' WHERE user_id = %s", 3),
        ("DELETE FROM grader WHERE user_id = %s", 3),
    ],
)
def test_recompute_brings_what_was_changed_by_hand_into_reports_of_all_days(
    run_day: Run, grader: Grader, query: Query, change: Callable[..., None],
    capsys: pytest.CaptureFixture[str], changed: str, submits: int,
) -> None:  # fmt: skip
    grader.answer = rows(of_learners(DAY, ANN, BOB))
    assert run_day(DAY).success
    change(changed, ANN)
    recompute.run(ALL)
    assert figures(query) == (submits, submits, submits)
    assert "Computed" in capsys.readouterr().out
    grader.answer = rows(of_learners(NEXT, ANN))
    result = run_day(NEXT)
    assert checks(result)["table_was_changed"], "recompute has seen the change already"


def test_rows_that_the_pipeline_never_loaded_count_in_history(
    run_day: Run, grader: Grader, query: Query, change: Callable[..., None]
) -> None:
    grader.answer = rows(of_learners(DAY, ANN))
    assert run_day(DAY).success
    change(
        "INSERT INTO grader (user_id, lis_result_sourcedid, attempt_type, created_at)"
        " VALUES (%s, 'x', 'run', '2022-01-01'), (%s, 'x', 'run', '2023-05-30 10:00')", ANN, ANN,
    )  # fmt: skip
    result = run_day(DAY)
    new = "SELECT value FROM daily_metrics WHERE metric = 'new_users' AND report_date = %s"
    assert query(new, DAY) == [(0,)]
    assert result.success
    (found,) = (
        e for e in result.get_asset_check_evaluations() if e.check_name == "table_was_changed"
    )
    assert found.metadata["other days"].value == ["2022-01-01", "2023-05-30"]
    # The day that nobody loaded has a report of its own; the one before GRADER_START_DATE has not.
    assert build_defs().resolve_job_def("refresh").execute_in_process().success
    assert query("SELECT DISTINCT report_date FROM daily_metrics ORDER BY 1") == [
        (dt.date(2023, 5, 30),), (dt.date(2023, 5, 31),),
    ]  # fmt: skip


def test_attempts_changed_between_metrics_and_sheet_fail_the_run(
    run_day: Run, grader: Grader, change: Callable[..., None], query: Query
) -> None:
    grader.answer = rows(of_learners(DAY, ANN, BOB))
    assert run_day(DAY, selection=["raw_attempts", "validated_attempts", "grader_table", "metrics"])
    change("UPDATE grader SET attempt_type = 'run', is_correct = NULL WHERE user_id = %s", ANN)
    result = run_day(DAY, selection=["sheet_report"])
    assert "reports_agree" in failure_of(result)
    assert build_defs().resolve_job_def("refresh").execute_in_process().success
    assert run_day(DAY, selection=["sheet_report"]).success
    assert figures(query) == (3, 3, 3)


def test_days_of_another_time_zone_are_refused_until_all_are_computed_again(
    run_day: Run, grader: Grader, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = attempt(f"{DAY} 20:00:00", BOB, verdict=1)
    grader.answer = rows([*of_learners(DAY, ANN), late])
    assert run_day(DAY).success
    monkeypatch.setenv("GRADER_TIMEZONE", "Asia/Kolkata")
    result = run_day(DAY)
    assert "Run `grader-pipeline recompute`" in failure_of(result)
    recompute.run(ALL)
    submits = "SELECT report_date, value FROM daily_metrics WHERE metric = 'submits' ORDER BY 1"
    assert query(submits) == [(dt.date(2023, 5, 31), 3), (dt.date(2023, 6, 1), 1)]
    grader.answer = rows(of_learners(DAY, ANN))
    assert run_day(DAY).success


def test_a_load_leaves_no_marks_and_a_savepoint_rolled_back_leaves_the_mark_for_the_next_one(
    run_day: Run, grader: Grader, query: Query, database_url: str
) -> None:
    grader.answer = rows(of_learners(DAY, ANN))
    assert run_day(DAY).success
    assert query("SELECT count(*) FROM grader_change") == [(0,)]
    insert = (
        "INSERT INTO grader (user_id, attempt_type, created_at) VALUES (%s, 'run', '2023-06-02')"
    )
    with psycopg.connect(database_url) as db:
        with db.transaction(force_rollback=True):
            db.execute(insert, [ANN])
        db.execute(insert, [BOB])
    assert query("SELECT quarter_hour FROM grader_change") == [(dt.datetime(2023, 6, 2),)]


def test_many_changed_days_are_left_to_the_job_refresh(
    run_day: Run, grader: Grader, change: Callable[..., None]
) -> None:
    grader.answer = rows(of_learners(DAY, ANN))
    assert run_day(DAY).success
    change(
        "INSERT INTO grader (user_id, attempt_type, created_at)"
        " SELECT %s, 'run', '2023-04-02'::date + n FROM generate_series(0, 40) AS n", BOB,
    )  # fmt: skip
    assert run_day(DAY).success
    postgres = Postgres()
    with postgres.transaction() as db:
        assert len(changed_days(db)) == 41
        assert dt.date(2023, 5, 31) in waiting_days(db)
    assert build_defs().resolve_job_def("refresh").execute_in_process().success
    with postgres.transaction() as db:
        assert changed_days(db) == waiting_days(db) == []
    postgres.close()

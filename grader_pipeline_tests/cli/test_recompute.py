"""``recompute``: stored days out of the table, in the foreground, and it can be interrupted."""

import argparse
import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from grader_pipeline.cli.days import day
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.waiting import eventually

Run = Callable[..., subprocess.CompletedProcess[str]]
DAYS = 40


@pytest.fixture
def months(database_url: str) -> str:
    """Attempts that somebody else has put into the table: one a day."""
    postgres = Postgres()
    with postgres.transaction() as db:
        db.execute(
            "INSERT INTO grader (user_id, lis_result_sourcedid, attempt_type, created_at)"
            " SELECT 'a', 'x', 'run', '2023-05-01'::date + n + interval '9 hours'"
            " FROM generate_series(0, %s) AS n",
            [DAYS - 1],
        )
    postgres.close()
    return database_url


def reported(database_url: str) -> list[dt.date]:
    with psycopg.connect(database_url) as db:
        if db.execute("SELECT to_regclass('daily_metrics')").fetchone() == (None,):
            return []
        found = db.execute("SELECT DISTINCT report_date FROM daily_metrics ORDER BY 1").fetchall()
    return [day for (day,) in found]


def test_an_interrupted_recompute_keeps_what_is_done_and_the_next_one_does_the_rest(
    months: str, home: Path, run: Run, started: Callable[..., subprocess.Popen[str]]
) -> None:
    first = started(sys.executable, "-m", "grader_pipeline.cli", "recompute")
    assert first.stdout is not None
    for line in first.stdout:
        if line.startswith("computing: 25"):
            first.send_signal(signal.SIGINT)
            break
    said = first.stdout.read()
    assert first.wait(30) == 130, said
    assert "What is done stays. The other days wait" in said
    assert 25 <= len(reported(months)) < DAYS
    done = run("recompute")
    assert done.returncode == 0, done.stderr
    assert "Computed" in done.stdout
    assert len(reported(months)) == DAYS
    # Only a run can write Dagster's records, so another recompute would not end that.
    status = run("status").stdout
    assert f"Waiting in Dagster's UI only: {DAYS} days" in status
    assert "grader-pipeline recompute" not in status
    assert (home / "Агрегированные данные за день.xlsx").exists()


def test_a_recompute_interrupted_amid_a_query_says_so_and_no_word_of_a_broken_database(
    months: str, started: Callable[..., subprocess.Popen[str]]
) -> None:
    recompute = started(sys.executable, "-m", "grader_pipeline.cli", "recompute")
    assert recompute.stdout is not None
    for line in recompute.stdout:
        if line.startswith("computing: 25"):
            break
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with psycopg.connect(months) as db:
        db.execute("LOCK TABLE daily_metrics")
        assert eventually(lambda: db.execute(waiting).fetchone() == (1,), 30)
        recompute.send_signal(signal.SIGINT)
        said = recompute.stdout.read()
        assert recompute.wait(30) == 130, said
    assert "What is done stays. The other days wait" in said
    assert "grader-pipeline: " not in said
    assert "psycopg" not in said


def test_recompute_of_some_days_rolls_up_these_and_no_others(months: str, run: Run) -> None:
    assert run("recompute").returncode == 0
    versions = "SELECT report_date, version FROM rollup_day"
    with psycopg.connect(months) as db:
        before = dict(db.execute(versions).fetchall())
    done = run("recompute", "--from", "2023-06-01", "--to", "05.06.2023")
    assert done.returncode == 0, done.stderr
    with psycopg.connect(months) as db:
        after = dict(db.execute(versions).fetchall())
    assert sorted(day for day in after if after[day] != before[day]) == [
        dt.date(2023, 6, number) for number in range(1, 6)
    ]


@pytest.mark.parametrize("text", ["tomorrow", "31.11.2026", "2026-13-01", "26.11.26", ""])
def test_a_text_that_is_no_day_is_explained(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="write it as 2026-11-26"):
        day(text)

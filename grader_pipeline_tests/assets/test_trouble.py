"""What a failed run says and logs, and whether it is retried."""

import psycopg
import pytest

from grader_pipeline.failures import RETRY_RUN_TAG
from grader_pipeline.settings import Settings
from grader_pipeline_tests.assets.conftest import Run, failure_of
from grader_pipeline_tests.grader import Grader, attempt, body, rows

DAY = "2023-05-31"
LEARNER = "c" * 32


def log() -> str:
    return (Settings().logs_dir / "app_log.txt").read_text()


def test_what_postgresql_refuses_is_reported_without_the_row(
    run_day: Run, grader: Grader, database_url: str
) -> None:
    grader.answer = rows([attempt(user="d" * 32, verdict=1)])
    assert run_day(DAY).success
    with psycopg.connect(database_url) as db:
        db.execute(f"ALTER TABLE grader ADD CHECK (user_id <> '{LEARNER}')")
    grader.answer = rows([attempt(user=LEARNER, verdict=1)])
    said = failure_of(run_day(DAY))
    assert "violates check constraint" in said
    assert LEARNER not in said + log()


def test_a_failed_step_says_so_in_the_log_file(run_day: Run, grader: Grader) -> None:
    grader.answer = body(b"", 403)
    assert not run_day(DAY).success
    assert " - ERROR: raw_attempts failed: The grader API answered 403" in log()


@pytest.mark.parametrize(
    ("answer", "retried"),
    [(body(b"", 403), False), (rows([]), False), (body(b"", 503), True)],
    ids=["refused", "blocking check", "down"],
)
def test_only_what_time_may_clear_is_left_to_be_retried(
    run_day: Run, grader: Grader, answer: object, retried: bool
) -> None:
    grader.answer = answer
    result = run_day(DAY)
    assert not result.success
    assert result.dagster_run.tags.get(RETRY_RUN_TAG) == (None if retried else "false")

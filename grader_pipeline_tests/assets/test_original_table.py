"""A day loaded into a table ``grader`` that the original script made, or that somebody altered."""

import argparse

import dagster as dg
import psycopg
import pytest

from grader_pipeline.asset_names import GRADER_TABLE
from grader_pipeline.cli import recompute
from grader_pipeline_tests.assets.conftest import Run, failure_of
from grader_pipeline_tests.assets.test_day import DAY, Query, day_of_attempts
from grader_pipeline_tests.grader import Grader, attempt, learner, rows

# 100,000 attempts, one every 25 seconds, by 500 learners. The last one is in the day's last minute.
ORIGINAL = """
    CREATE TABLE grader (
        id serial PRIMARY KEY, user_id varchar(255) NOT NULL, oauth_consumer_key varchar(255),
        lis_result_sourcedid text, lis_outcome_service_url text, is_correct boolean,
        attempt_type varchar(10), created_at timestamp NOT NULL, UNIQUE (user_id, created_at)
    );
    INSERT INTO grader (
        user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url, is_correct,
        attempt_type, created_at
    )
    SELECT md5((n % 500)::text), '',
        'course-v1:School+DST-3.0+28FEB2021:lms.example.org-ca3ecf8e5f284c329eb7bd529e1a9f7e:'
            || md5((n % 500)::text),
        'https://lms.example.org/grade_handler', NULL, 'run',
        timestamp '2023-05-31 20:59:35' - n * interval '25 seconds'
    FROM generate_series(99999, 0, -1) AS n;
"""
DAYS_ROWS = 24 * 60 * 60 // 25


def test_a_day_of_the_scripts_table_is_already_there_and_what_is_new_is_added(
    run_day: Run, grader: Grader, query: Query, database_url: str
) -> None:
    with psycopg.connect(database_url) as db:
        db.execute(ORIGINAL)
    before = query("SELECT * FROM grader ORDER BY id")
    times = query("SELECT user_id, created_at::text FROM grader ORDER BY id DESC LIMIT %s", 3000)
    new = [attempt(f"2023-05-31 10:00:0{n}.5", learner("new"), n % 2) for n in range(4)]
    grader.answer = rows([*(attempt(time, user) for user, time in reversed(times)), *new])
    assert run_day(DAY).success
    counts = "SELECT received, loaded, already_there, differing, rejected FROM grader_load"
    assert query(counts) == [(3004, 4, 3000, 0, 0)]
    assert query("SELECT * FROM grader WHERE id <= 100000 ORDER BY id") == before
    numbers = dict(query("SELECT metric, value FROM daily_metrics WHERE report_date = %s", DAY))
    assert (numbers["submits"], numbers["unique_users"]) == (4, 501)
    assert query("SELECT count(*) FROM grader WHERE created_at >= '2023-05-30 21:00'") == [
        (DAYS_ROWS + 4,)
    ]


def test_recompute_computes_every_day_of_the_scripts_table(query: Query, database_url: str) -> None:
    with psycopg.connect(database_url) as db:
        db.execute(ORIGINAL)
    recompute.run(argparse.Namespace(start=None, end=None))
    per_day = query(
        "SELECT (created_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Moscow')::date, count(*)"
        " FROM grader GROUP BY 1 ORDER BY 1"
    )
    assert sum(number for _, number in per_day) == 100_000
    metric = "SELECT report_date, value FROM daily_metrics WHERE metric = 'runs' ORDER BY 1"
    assert query(metric) == per_day
    assert query("SELECT report_date, attempts FROM rollup_day ORDER BY 1") == per_day


def everything(query: Query) -> list[list[tuple[object, ...]]]:
    """The rows of every table in the database, with who wrote them."""
    tables = query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [
        query(f"SELECT xmin::text, * FROM {name} AS it ORDER BY it::text") for (name,) in tables
    ]


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ("ALTER TABLE grader ADD COLUMN note text", "DROP COLUMN note"),
        (
            "ALTER TABLE grader DROP CONSTRAINT grader_created_at_user_id_key",
            "ALTER TABLE grader ADD UNIQUE (created_at, user_id);",
        ),
        ("ALTER TABLE grader_load DROP COLUMN differing", "lacks grader_load.differing"),
    ],
)
def test_a_table_altered_later_stops_the_run_before_its_first_write(
    run_day: Run, grader: Grader, query: Query, database_url: str, instance: dg.DagsterInstance,
    change: str, advice: str,
) -> None:  # fmt: skip
    grader.answer = rows(day_of_attempts())
    assert run_day(DAY).success
    with psycopg.connect(database_url) as db:
        db.execute(change.encode())
    before = everything(query)
    grader.answer = rows([*day_of_attempts(), attempt("2023-05-31 10:00:00")])
    result = run_day(DAY)
    assert advice in failure_of(result)
    assert everything(query) == before
    check = dg.AssetCheckKey(dg.AssetKey(GRADER_TABLE), "table_schema")
    (latest,) = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    assert latest.run_id == result.run_id
    assert latest.event.dagster_event.event_specific_data.passed is False

"""Several hosts do one school's days: more hosts do more, and a dead one costs its runs a retry.

`make test-hosts` runs this. The tests are one story and run in this order.
"""

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import grader_pipeline
from grader_pipeline.assets.step4_metrics import REPORTS
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.hosts.asking import (
    at_rest,
    days_a_minute,
    is_done,
    of_backfill,
    root,
    runs,
    status,
    stop,
)
from grader_pipeline_tests.hosts.undisturbed import Ask, undisturbed
from grader_pipeline_tests.hosts.world import SLOTS, WORKERS, School, school
from grader_pipeline_tests.reports.conftest import without_numbers
from grader_pipeline_tests.stacks import backfill, launch
from grader_pipeline_tests.waiting import eventually

FIRST = date(2023, 5, 1)
LATENCY = 30
"""Seconds that the API takes for a day: the hosts wait, and the cores of this machine do not."""
ON_ONE = 2 * SLOTS
ON_ALL = 2 * SLOTS * len(WORKERS)
AMID_FAULTS = 8
DAYS = ON_ONE + ON_ALL + AMID_FAULTS
"""Of the three backfills."""


@pytest.fixture(scope="module")
def up() -> Iterator[School]:
    with school(LATENCY, attempts=60) as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed_load(up: School) -> Iterator[Callable[[], Ask]]:
    """Begun when hosts are about to die: the speed of the hosts is measured by then."""
    with undisturbed(up, str(FIRST), DAYS) as load:
        yield load


def days(first: int, count: int) -> list[str]:
    return [str(FIRST + timedelta(days=first + number)) for number in range(count)]


@pytest.mark.timeout(300)
def test_three_hosts_do_at_least_two_and_a_half_times_the_days_a_minute_of_one(
    up: School, record_property: Any
) -> None:
    up.start_worker(WORKERS[0])
    up.at_rest = at_rest(up)
    alone = backfill(up, days(0, ON_ONE))
    assert eventually(lambda: is_done(up, alone), 150), of_backfill(up, alone)
    for name in WORKERS[1:]:
        up.start_worker(name)
    together = backfill(up, days(ON_ONE, ON_ALL))
    assert eventually(lambda: is_done(up, together), 150), of_backfill(up, together)
    one, three = days_a_minute(up, alone), days_a_minute(up, together)
    record_property("days_a_minute", f"{one:.1f} on one host, {three:.1f} on three")
    assert three >= 2.5 * one


@pytest.mark.timeout(400)
def test_a_host_that_is_gone_costs_each_of_its_runs_one_retry_and_no_day_anything(
    up: School, undisturbed_load: Callable[[], Ask]
) -> None:
    # One host loses its cable, and the next one its power.
    unplugged, killed = up.workers[WORKERS[1]], up.workers[WORKERS[2]]
    wanted = days(ON_ONE + ON_ALL, AMID_FAULTS)
    name = backfill(up, wanted)
    slots = SLOTS * len(WORKERS)

    def under_way() -> int:
        return Counter(run["status"] for run in of_backfill(up, name))["STARTED"]

    assert eventually(lambda: under_way() == slots, 60), of_backfill(up, name)
    unplugged.unplug()
    killed.kill()
    gone = time.time()

    def failed() -> list[dict[str, Any]]:
        return [run for run in of_backfill(up, name) if run["status"] == "FAILURE"]

    assert eventually(lambda: len(failed()) == 2 * SLOTS, 90), of_backfill(up, name)
    assert max(run["endTime"] for run in failed()) - gone < 60
    assert eventually(lambda: is_done(up, name), 240), of_backfill(up, name)
    unplugged.kill()
    unplugged.plug()

    found = of_backfill(up, name)
    of_roots = Counter(root(run) for run in found)
    retried = {root(run) for run in failed()}
    assert len(retried) == 2 * SLOTS
    assert {of_roots[first] for first in retried} == {2}, "one retry each"
    assert {count for first, count in of_roots.items() if first not in retried} == {1}
    reported = up.rows("SELECT report_date::text AS day FROM report_day ORDER BY 1")
    assert {row["day"] for row in reported} >= set(wanted)

    def digests() -> list[str]:
        first = f"{date.fromisoformat(wanted[0]):%d.%m.%Y}"
        subjects = [str(mail.message["Subject"]) for mail in up.mails.received]
        return [subject for subject in subjects if first in subject]

    assert eventually(lambda: len(digests()) == 1, 90), digests()
    # A second one would come with the next looks of the sensor.
    assert not eventually(lambda: len(digests()) > 1, 20), digests()


@pytest.mark.timeout(300)
def test_the_tables_are_those_of_days_that_nothing_disturbed(
    up: School, undisturbed_load: Callable[[], Ask]
) -> None:
    with closing(Postgres.at(up.database_url)) as postgres:

        def waits() -> bool:
            with postgres.transaction() as db:
                return bool(waiting_days(db))

        assert eventually(lambda: not waits(), 120)
    ask = undisturbed_load()
    for name in REPORTS:
        rows = [
            [without_numbers(name, row) for row in of(f"SELECT * FROM {name}")]
            for of in (up.rows, ask)
        ]
        assert _sorted(rows[0]) == _sorted(rows[1]), name
    attempts = (
        "SELECT user_id, lis_result_sourcedid, lis_outcome_service_url, is_correct,"
        " attempt_type, created_at FROM grader"
    )
    refused = "SELECT report_date, position, reasons, row FROM grader_rejected"
    for query in (attempts, refused):
        assert _sorted(up.rows(query)) == _sorted(ask(query))


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(map(repr, rows))


@pytest.mark.timeout(120)
def test_a_run_that_is_canceled_in_the_ui_ends_as_canceled_and_is_not_retried(up: School) -> None:
    day = days(DAYS, 1)[0]
    run = launch(up, day)
    assert eventually(lambda: status(up, run) == "STARTED", 60), status(up, run)
    stop(up, run)
    assert eventually(lambda: status(up, run) == "CANCELED", 30), status(up, run)
    time.sleep(20)  # Dagster retries within its next look
    assert len(runs(up, **{"dagster/partition": day})) == 1


@pytest.mark.timeout(120)
def test_the_sessions_of_a_dead_host_leave_nothing_locked_and_the_next_day_is_done(
    up: School,
) -> None:
    host = up.workers[WORKERS[1]]
    up.start_worker(WORKERS[1])
    hold = (
        "import os, time\n"
        "from grader_pipeline.resources.postgres import Postgres\n"
        "with Postgres.at(os.environ['DATABASE_URL']).transaction(lock='rollups'):\n"
        "    print('has it', flush=True)\n"
        "    time.sleep(600)\n"
    )
    output = up.homes / "holder.txt"
    host.start([sys.executable, "-c", hold], up.environment, output)
    assert eventually(lambda: "has it" in output.read_text(), 30)
    host.unplug()
    gone = time.monotonic()
    query = "SELECT count(*) AS number FROM pg_locks WHERE locktype = 'advisory' AND granted"
    assert eventually(lambda: up.rows(query)[0]["number"] == 0, 60), up.rows(query)
    assert time.monotonic() - gone < 30
    host.kill()
    host.plug()


@pytest.mark.timeout(120)
def test_sessions_are_as_many_at_rest_after_thirty_ticks_of_the_sensors_as_before(
    up: School,
) -> None:
    before, now = up.at_rest, at_rest(up)
    assert before is not None
    ticks = now.ticks - before.ticks
    assert ticks >= 30
    # One that stays open at every tenth tick would show.
    assert now.sessions - before.sessions < ticks / 10


@pytest.mark.timeout(180)
def test_a_worker_of_the_release_before_does_days_on_the_schema_of_the_next_one(
    up: School,
) -> None:
    package = Path(grader_pipeline.__file__).parent
    newer = up.homes / "newer" / "grader_pipeline"
    shutil.copytree(package, newer, ignore=shutil.ignore_patterns("__pycache__"))
    (newer / "sql" / "schema" / "990_next_release.sql").write_text(
        "ALTER TABLE grader ADD COLUMN IF NOT EXISTS device text;\n"
        "ALTER TABLE report_day ADD COLUMN IF NOT EXISTS release text DEFAULT 'next';\n"
    )
    up.run("migrate", on=up.control, PYTHONPATH=str(newer.parent))
    newest = up.rows("SELECT max(number) AS newest FROM schema_migration")[0]["newest"]
    assert newest == 990
    day = days(DAYS + 1, 1)[0]
    run = launch(up, day)
    assert eventually(lambda: status(up, run) in {"SUCCESS", "FAILURE"}, 90), status(up, run)
    assert status(up, run) == "SUCCESS"

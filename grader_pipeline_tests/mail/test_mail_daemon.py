"""The real daemon and sensor: killed between two steps, and with a backfill that has failed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from grader_pipeline_tests.mail.mail_location import defs, raw_attempts, sheet_report
from grader_pipeline_tests.mail.mail_server import MailServer
from grader_pipeline_tests.waiting import eventually

LOCATION = Path(__file__).with_name("mail_location.py")
DAGSTER_YAML = """
storage: {postgres: {postgres_url: {env: DAGSTER_POSTGRES_URL}}}
telemetry: {enabled: false}
run_retries: {enabled: true, max_retries: 1}
"""


@pytest.fixture
def instance(tmp_path: Path, monkeypatch, database_url):
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    # SQLAlchemy would choose psycopg 3, which dagster-postgres does not speak.
    dagster_url = database_url.replace("postgresql://", "postgresql+psycopg2://")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", dagster_url)
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def start_daemon(tmp_path: Path):
    running: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        daemon = [sys.executable, "-m", "dagster._daemon"]
        with (tmp_path / "daemon.log").open("a") as log:
            process = subprocess.Popen(
                [*daemon, "run", "-f", LOCATION], start_new_session=True, stdout=log, stderr=log
            )
        running.append(process)
        return process

    yield start
    for process in running:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    """The daemon, its code server and their runs, all at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_killed_daemon_delivers_when_it_is_back(
    instance, start_daemon, serve, outbox_rows, make_due
):
    run = dg.materialize(
        [raw_attempts, sheet_report], instance=instance, partition_key="2023-05-31"
    )  # fmt: skip
    server = serve(MailServer())
    daemon = start_daemon()
    server.before_confirming = lambda: os.killpg(daemon.pid, signal.SIGKILL)
    assert eventually(lambda: daemon.poll() is not None, 60)

    (row,) = outbox_rows()
    assert (row["key"], row["state"]) == (f"success:2023-05-31:{run.run_id}", "sending")
    server.before_confirming = lambda: None
    make_due()
    start_daemon()
    assert eventually(lambda: outbox_rows()[0]["state"] == "sent", 60)

    first, copy = server.received
    assert first.message["Message-ID"] == copy.message["Message-ID"]
    assert len(outbox_rows()) == 1


def test_the_digest_of_a_backfill_that_dagster_failed_has_the_day_that_a_retry_loads(
    instance, start_daemon, serve, outbox_rows, text_of, figures, tmp_path, monkeypatch
):
    figures("2023-05-31")
    for name in ("trouble", "pause"):
        (tmp_path / name).touch()
    monkeypatch.setenv("MAIL_TEST_FOLDER", str(tmp_path))
    serve(MailServer())
    asked = PartitionBackfill.from_asset_partitions(
        backfill_id="oneday",
        asset_graph=defs.get_repository_def().asset_graph,
        partition_names=["2023-05-31"],
        asset_selection=[raw_attempts.key, sheet_report.key],
        backfill_timestamp=time.time(),
        tags={},
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    instance.add_backfill(asked)
    start_daemon()

    def ended(status: dg.DagsterRunStatus) -> bool:
        return instance.get_runs_count(dg.RunsFilter(statuses=[status])) == 1

    def sensor_was_evaluated_since(moment: float) -> bool:
        (sensor,) = instance.all_instigator_state()
        ticks = instance.get_ticks(sensor.instigator_origin_id, sensor.selector_id, limit=2)
        return len(ticks) == 2 and ticks[1].timestamp > moment

    assert eventually(lambda: ended(dg.DagsterRunStatus.FAILURE), 120)
    assert eventually(lambda: ended(dg.DagsterRunStatus.STARTED), 120), "the retry"
    backfill = instance.get_backfill("oneday")
    instance.update_backfill(backfill.with_status(BulkActionStatus.FAILED))
    failed_at = time.time()
    assert eventually(lambda: sensor_was_evaluated_since(failed_at), 60)
    assert outbox_rows() == []
    (tmp_path / "pause").unlink()
    assert eventually(lambda: ended(dg.DagsterRunStatus.SUCCESS), 60)
    ended_at = time.time()
    assert eventually(outbox_rows, 60)
    assert eventually(lambda: sensor_was_evaluated_since(ended_at), 60)
    assert [row["key"] for row in outbox_rows()] == ["backfill:oneday"]
    assert "за 31.05.2023 обновлены" in text_of("backfill")
    assert "Не удалось" not in text_of("backfill")

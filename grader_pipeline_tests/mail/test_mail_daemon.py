"""The real daemon and sensor, killed after the server took the mail and before that is noted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from grader_pipeline_tests.mail.mail_location import raw_attempts, sheet_report
from grader_pipeline_tests.mail.mail_server import MailServer
from grader_pipeline_tests.waiting import eventually

LOCATION = Path(__file__).with_name("mail_location.py")
DAGSTER_YAML = """
storage: {postgres: {postgres_url: {env: DAGSTER_POSTGRES_URL}}}
telemetry: {enabled: false}
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

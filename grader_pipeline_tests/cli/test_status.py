"""``status``: what it shows, and when it exits with 1."""

import datetime as dt
import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from grader_pipeline.cli import dev, status
from grader_pipeline.definitions import build_defs
from grader_pipeline.roles import health
from grader_pipeline.roles.migrate import require_schema
from grader_pipeline.settings import Settings
from grader_pipeline_tests.grader import attempt, learner, rows, running

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch, database_url: str, home: Path) -> dt.date:
    """A school with a real API where it is about noon now; its yesterday."""
    ahead = 12 - dt.datetime.now(dt.UTC).hour
    monkeypatch.setenv("GRADER_TIMEZONE", f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT")
    monkeypatch.setenv("GRADER_API_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("GRADER_API_CLIENT", "school")
    monkeypatch.setenv("GRADER_API_CLIENT_KEY", "key-that-nobody-may-see")
    yesterday = dt.datetime.now(Settings().timezone).date() - dt.timedelta(days=1)
    monkeypatch.setenv("GRADER_START_DATE", (yesterday - dt.timedelta(days=1)).isoformat())
    return yesterday


@pytest.fixture
def loaded(noon: dt.date, monkeypatch: pytest.MonkeyPatch) -> dt.date:
    """Yesterday was loaded: three submits."""
    with running() as grader:
        monkeypatch.setenv("GRADER_API_URL", grader.url)
        moment = dt.datetime.combine(noon, dt.time(12), Settings().timezone).astimezone(dt.UTC)
        grader.answer = rows(
            [attempt(f"{moment:%Y-%m-%d %H:%M}:0{n}", learner("ann"), 1) for n in range(3)]
        )
        job = build_defs().resolve_job_def("grader_day")
        assert job.execute_in_process(partition_key=noon.isoformat()).success
    return noon


def test_a_report_that_should_be_out_is_an_exit_of_1_and_before_its_time_of_0(
    noon: dt.date, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = run("status")
    assert late.returncode == 1
    assert f"The report of yesterday, {noon}, is not out: no day was loaded yet." in late.stdout
    # Days before the first loaded one are nobody's loss.
    assert "Not loaded" not in late.stdout
    monkeypatch.setenv("GRADER_SCHEDULE_TIME", "22:00")
    assert run("status").returncode == 0


def test_a_day_left_out_between_loaded_days_is_shown(
    loaded: dt.date, run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_START_DATE", (loaded - dt.timedelta(days=5)).isoformat())
    with psycopg.connect(database_url) as db:
        db.execute("UPDATE grader_load SET report_date = report_date - 2")
        db.execute("DELETE FROM daily_metrics")
    missing = f"{loaded - dt.timedelta(days=1)}, {loaded}"
    late = run("status").stdout
    assert f"The report of yesterday, {loaded}, is not out, and should be" in late
    assert f"Not loaded: 2 days, {missing}. Launch a backfill of them in Dagster's UI." in late
    assert f" Days before {loaded - dt.timedelta(days=2)}, the first loaded one, are not" in late
    with psycopg.connect(database_url) as db:
        db.execute("UPDATE grader_load SET report_date = report_date + 1")
    assert f"Not loaded: 1 day, {loaded}. Launch a backfill of it in" in run("status").stdout


def test_before_the_first_day_and_without_a_real_api_nothing_is_late(
    noon: dt.date, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_START_DATE", (noon + dt.timedelta(days=1)).isoformat())
    assert run("status").returncode == 0
    monkeypatch.setenv("GRADER_START_DATE", noon.isoformat())
    assert run("status").returncode == 1
    for name in ("GRADER_API_URL", "GRADER_API_CLIENT", "GRADER_API_CLIENT_KEY"):
        monkeypatch.delenv(name)
    assert run("status").returncode == 0


def test_a_morning_shortly_before_midnight_is_late_after_midnight(
    noon: dt.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deadline was always of a day to come, so that nothing was ever late."""
    monkeypatch.setenv("GRADER_SCHEDULE_TIME", "23:30")
    settings = Settings()

    def looked_at(time: str) -> tuple[str, bool]:
        moment = dt.datetime.fromisoformat(time).replace(tzinfo=settings.timezone)
        day, is_due = status._looked_at(settings, moment)
        return day.isoformat(), is_due

    assert looked_at("2023-06-02 00:29") == ("2023-05-30", True)
    assert looked_at("2023-06-02 00:30") == ("2023-05-31", True)
    assert looked_at("2023-06-02 23:59") == ("2023-05-31", True)
    monkeypatch.setenv("GRADER_SCHEDULE_TIME", "22:59")
    settings = Settings()
    assert looked_at("2023-06-02 23:58") == ("2023-06-01", False)
    assert looked_at("2023-06-02 23:59") == ("2023-06-01", True)
    assert looked_at("2023-06-03 00:01") == ("2023-06-02", False)


def test_a_report_whose_mail_nobody_has_is_an_exit_of_1(
    loaded: dt.date, run: Run, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setenv("MAIL_TO", "anna@school.example")
    undecided = run("status")
    assert undecided.returncode == 1
    assert f"{loaded}, is out, but no mail about it was decided: see" in undecided.stdout
    with psycopg.connect(database_url) as db:
        db.execute("INSERT INTO mailed_day (report_date, is_reported) VALUES (%s, true)", [loaded])
        db.execute(
            "INSERT INTO mail_outbox (key, kind, report_date, subject, message, created_at)"
            " VALUES ('success:1', 'success', %s, 'x', '', now() - interval '1 minute')",
            [loaded],
        )
        db.execute("INSERT INTO mail_recipient (key, address) VALUES ('success:1', 'a')")
    assert run("status").returncode == 0, "it may be on its way"
    with psycopg.connect(database_url) as db:
        db.execute("UPDATE mail_outbox SET created_at = now() - interval '6 minutes'")
    silent = run("status")
    assert silent.returncode == 1
    assert "is out, but nobody has got success:1: see `grader-pipeline mail list`" in silent.stdout
    with psycopg.connect(database_url) as db:
        db.execute("UPDATE mail_recipient SET state = 'sent'")
    assert run("status").returncode == 0


def test_what_stops_a_run_is_shown(
    loaded: dt.date, run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no daemon ever worked on it" in run("status").stdout
    require_schema(Settings(), database_url)
    text = run("status").stdout
    assert "The daemon has given no sign of life yet" in text
    assert "120 s" not in text
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(
            "INSERT INTO dagster.daemon_heartbeats (daemon_type, daemon_id, timestamp)"
            " VALUES ('SENSOR', 'x', now() - interval '5 hours')"
        )
        text = run("status").stdout
        assert "The daemon gives no sign of life for 120 s of " in text
        db.execute("DELETE FROM dagster.daemon_heartbeats")
        for name in health.DAEMONS:
            db.execute(
                "INSERT INTO dagster.daemon_heartbeats (daemon_type, daemon_id, timestamp)"
                " VALUES (%s, 'x', now() AT TIME ZONE 'UTC')",
                [name],
            )
        db.execute(
            "INSERT INTO dagster.runs (run_id, run_body, status, partition, create_timestamp)"
            " VALUES ('r1', '{}', 'QUEUED', %s, now() AT TIME ZONE 'UTC' - interval '6 minutes')",
            [loaded.isoformat()],
        )
    text = run("status").stdout
    assert "The daemon has evaluated no sensor yet" in text
    assert "The code server: no answer at unix:" in text
    assert f"The newest run of {loaded}, r1, is QUEUED for 6 min. The worker: no answer" in text
    with psycopg.connect(database_url, autocommit=True) as db:
        for kind, name in (("SENSOR", "mail_sensor"), ("SCHEDULE", "morning")):
            state = {"origin": {"job_name": name}, "job_specific_data": {}}
            if kind == "SENSOR":
                state["job_specific_data"] = {"last_tick_timestamp": time.time()}
            db.execute(
                "INSERT INTO dagster.instigators (selector_id, repository_selector_id, status,"
                " instigator_type, instigator_body) VALUES (%s, 'r', 'DECLARED_IN_CODE', %s, %s)",
                [name, kind, json.dumps(state)],
            )
            tick = {"error": {"message": "ValidationError: MAIL_TO is odd\nstack"}}
            db.execute(
                "INSERT INTO dagster.job_ticks (job_origin_id, selector_id, status, type,"
                " timestamp, tick_body) VALUES ('o', %s, 'FAILURE', %s, now(), %s)",
                [name, kind, json.dumps(tick)],
            )
        text = run("status").stdout
        assert "The daemon cannot evaluate its sensors now" in text
        assert "The code server: no answer" in text
        monkeypatch.setattr(health, "code_trouble", lambda _: None)
        text = run("status").stdout
        assert "The sensor mail_sensor fails: ValidationError: MAIL_TO is odd" in text
        assert "The schedule morning fails: ValidationError: MAIL_TO is odd" in text
        assert "stack" not in text
        db.execute("UPDATE dagster.runs SET status = 'FAILURE'")
        db.execute(
            "INSERT INTO heartbeat (report_date, last_error) VALUES (%s, 'answers 500')", [loaded]
        )
    assert "GRADER_HEARTBEAT_URL answers 500: the watch does not know that" in run("status").stdout
    assert f"The newest run of {loaded}, r1, failed: its page" in run("status").stdout
    monkeypatch.setenv("GRADER_API_CLIENT", "sample")
    assert "The daemon" not in run("status").stdout, "the demo has none"


def test_dev_calls_no_role_silent_that_it_has_just_started(
    loaded: dt.date, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """An empty home's first daemon, and one whose home was not served for hours."""
    require_schema(Settings(), database_url)
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(
            "INSERT INTO dagster.runs (run_id, run_body, status, partition, create_timestamp)"
            " VALUES ('r1', '{}', 'QUEUED', %s, now() AT TIME ZONE 'UTC' - interval '6 minutes')",
            [loaded.isoformat()],
        )
        for _ in ("new", "old"):
            dev._say_status()
            said = capfd.readouterr().out
            assert f"The report of yesterday, {loaded}, is out." in said
            assert "daemon" not in said
            assert "worker" not in said
            for name in health.DAEMONS:
                db.execute(
                    "INSERT INTO dagster.daemon_heartbeats (daemon_type, daemon_id, timestamp)"
                    " VALUES (%s, 'x', now() - interval '5 hours') ON CONFLICT DO NOTHING",
                    [name],
                )
        db.execute("UPDATE dagster.runs SET status = 'FAILURE'")
    dev._say_status()
    assert f"The newest run of {loaded}, r1, failed" in capfd.readouterr().out


def test_cron_in_a_folder_without_settings_gets_no_0(home: Path, run: Run) -> None:
    done = run("status")
    assert done.returncode == 1
    assert f"There is no installation in {Path.cwd()}" in done.stderr


def test_yesterdays_figures_and_what_became_of_its_elements_are_shown(
    loaded: dt.date, run: Run
) -> None:
    done = run("status")
    assert done.returncode == 0, done.stdout
    assert f"The report of yesterday, {loaded}, is out." in done.stdout
    assert "  Количество попыток (submit): 3\n" in done.stdout
    assert re.search(r"Loaded [\d-]+ [\d:]+ \(Etc/GMT[^)]*\): 3 received, 3 loaded", done.stdout)
    assert "3 received, 3 loaded, 0 already there, 0 duplicates, 0 rejected." in done.stdout
    assert learner("ann") not in done.stdout


def test_days_that_wait_reports_that_failed_and_other_zones_are_shown_as_text_and_json(
    loaded: dt.date, run: Run, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    with psycopg.connect(database_url) as db:
        db.execute(
            "INSERT INTO grader (user_id, attempt_type, created_at) VALUES ('a', 'run', %s)",
            [dt.datetime.combine(loaded, dt.time(12))],
        )
        db.execute(
            "INSERT INTO report_failure VALUES (%s, 'tasks', 'sql/reports/tasks.sql, line 3: no')",
            [loaded],
        )
    text = run("status").stdout
    assert "Changed: 1 day" in text
    assert "Waiting: 1 day" in text
    assert f"Failed: tasks of {loaded}: sql/reports/tasks.sql, line 3: no" in text
    found = json.loads(run("status", "--json").stdout)
    assert found["is_out"] is True
    assert len(found["waiting_days"]) == len(found["changed_days"]) == 1
    assert found["load"]["received"] == 3
    monkeypatch.setenv("GRADER_TIMEZONE", "Asia/Kathmandu")
    assert "Run `grader-pipeline recompute`" in run("status").stdout


def test_log_lines_are_never_in_the_answer(
    noon: dt.date, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_LOG", "json")
    done = run("status", "--json")
    assert json.loads(done.stdout)["day"] == str(noon)
    said = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert any("Migrated the schema" in line["message"] for line in said)

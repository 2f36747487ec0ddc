"""What a watch outside sees is what holds now, and names nobody."""

import datetime as dt
import re
import subprocess
import sys

import httpx
import psycopg
import yaml
from prometheus_client.parser import text_string_to_metric_families

from grader_pipeline.mornings import LATEST, newest_morning
from grader_pipeline.roles.instance import environment, write_home
from grader_pipeline.roles.places import run_socket
from grader_pipeline.settings import Settings
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import DAY, OK, X, at
from grader_pipeline_tests.waiting import eventually
from grader_pipeline_tests.wheel import CHECKOUT

ALERTS = CHECKOUT / "deploy" / "alerts.yaml"


def seen(ui: httpx.Client) -> dict[str, dict[tuple[str, ...], float]]:
    families = text_string_to_metric_families(ui.get("/metrics").text)
    return {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for family in families
    }


def test_the_last_reported_day_and_the_mails_are_those_of_the_tables(
    school: School, ui: httpx.Client, database_url: str
) -> None:
    before = seen(ui)
    assert "grader_last_reported_day_end_seconds" not in before
    school.load(DAY, [at("09:00", f"u{number}", OK, X) for number in range(8)])
    school.compute(DAY)
    with psycopg.connect(database_url) as db:
        db.execute("DELETE FROM outdated_record")
        for number, state in enumerate(("queued", "failed", "failed", "sent")):
            db.execute(
                "INSERT INTO mail_outbox (key, kind, report_date, subject, message, state)"
                " VALUES (%s, 'success', %s, '', '', %s)",
                [str(number), DAY, state],
            )
    after = seen(ui)
    midnight = dt.datetime.combine(
        DAY + dt.timedelta(days=1), dt.time(), Settings().timezone
    ).timestamp()
    assert after["grader_last_reported_day_end_seconds"] == {(): midnight}
    due = newest_morning(Settings(), dt.datetime.now(dt.UTC) - LATEST)
    end = dt.datetime.combine(due + dt.timedelta(days=1), dt.time(), Settings().timezone)
    assert after["grader_due_day_end_seconds"] == {(): end.timestamp()}
    assert after["grader_undelivered_mails"] == {("queued",): 1, ("failed",): 2}
    assert after["grader_waiting_days"] == {(): 0}
    assert after["grader_runs"][("STARTED",)] == 0
    assert not [name for name in range(8) if f"u{name}" in ui.get("/metrics").text]


def test_every_alert_asks_for_a_metric_that_there_is(
    school: School, ui: httpx.Client, database_url: str
) -> None:
    school.load(DAY, [at("09:00", "u1", OK, X)])
    school.compute(DAY)
    with psycopg.connect(database_url) as db:
        db.execute("DELETE FROM outdated_record")
    known = ui.get("/metrics").text
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    for rule in rules:
        asked = re.findall(r"grader_\w+", rule["expr"])
        assert asked
        for name in asked:
            assert f"# HELP {name} " in known, name


def test_the_rules_of_alerts_are_whole() -> None:
    """What promtool would refuse: a rule's name, expression, time and texts."""
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    assert group["name"] == "grader-pipeline"
    names = [rule["alert"] for rule in group["rules"]]
    assert len({*names}) == len(names) > 5
    for rule in group["rules"]:
        assert rule.keys() == {"alert", "expr", "for", "annotations"}
        assert rule["annotations"].keys() == {"summary", "action"}
        assert re.fullmatch(r"[A-Z]\w+", rule["alert"])
        assert re.fullmatch(r"\d+[smhd]", rule["for"])
        expression = re.sub(r"\{\w+=\"\w+\"\}", "", rule["expr"])
        assert re.fullmatch(r"[\w\s()<>=*+-]+", expression), expression
        assert expression.count("(") == expression.count(")")


def test_the_run_server_is_seen_while_it_answers(ui: httpx.Client, database_url: str) -> None:
    assert seen(ui)["grader_live_workers"] == {}
    place = run_socket(Settings())
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "grader_pipeline.runs.run_server", str(place)],
        env=environment(Settings(), database_url),
    )
    written = yaml.safe_load((write_home(Settings()).parent / "dagster.yaml").read_text())
    try:
        assert eventually(lambda: seen(ui)["grader_live_workers"] == {(): 1}, 60)
        slots = written["concurrency"]["runs"]["max_concurrent_runs"]
        assert seen(ui)["grader_worker_slots"] == {(): slots}
        assert seen(ui)["grader_runs_without_worker"] == {(): 0}
        assert server.poll() is None
    finally:
        server.kill()
        server.wait()
    assert seen(ui)["grader_live_workers"] == {(): 0}

"""Nothing that silences the morning silences the alarm: real roles are killed, broken and stopped.

The alarm is twofold: GRADER_HEARTBEAT_URL is not asked, and `status` says why from a process that
needs the database only.
"""

import datetime as dt
import re
import time
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from grader_pipeline.cli import status
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline_tests import grader
from grader_pipeline_tests.grader import Grader, attempt, body, rows
from grader_pipeline_tests.roles.deployment import SERVING, Deployment, deployment
from grader_pipeline_tests.stacks import api
from grader_pipeline_tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

STATES = """{ %ssOrError(repositorySelector: {
    repositoryName: "__repository__", repositoryLocationName: "grader_pipeline"
}) { ... on %ss { results { name %sState { id } } } } }"""
STOP = "mutation ($id: String!) { %s(id: $id) { __typename ... on PythonError { message } } }"
START = """mutation ($name: String!) { start%s(%sSelector: { repositoryName: "__repository__",
    repositoryLocationName: "grader_pipeline", %sName: $name }) { __typename } }"""
SECRET = "ping-that-nobody-may-see"


def noon() -> tuple[str, dt.date]:
    """A zone where it is about noon now, and its yesterday."""
    now = dt.datetime.now(dt.UTC)
    ahead = 12 - now.hour
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
    return zone, (now + dt.timedelta(hours=ahead)).date() - dt.timedelta(days=1)


@pytest.fixture(scope="module")
def watch() -> Iterator[Grader]:
    """The watch outside that the heartbeat is for."""
    with grader.running() as server:
        server.answer = body(b"OK")
        yield server


@pytest.fixture(scope="module")
def url(postgres_18: str) -> Iterator[str]:
    name = f"alarm_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_18, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield postgres_18.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def roles(url: str, watch: Grader) -> Iterator[Deployment]:
    """All roles of a school that is mailed to files, and whose yesterday is reported."""
    zone, yesterday = noon()
    settings = {
        **api("", "school"),
        "GRADER_TIMEZONE": zone,
        "GRADER_START_DATE": yesterday.isoformat(),
        "GRADER_HEARTBEAT_URL": watch.url.replace("/attempts", f"/{SECRET}"),
        "MAIL_TO": "anna@school.example",
        "DATABASE_URL": url,
    }
    with grader.running() as api_server:
        moment = f"{yesterday} 12:00:00"
        api_server.answer = rows([attempt(moment), attempt(f"{yesterday} 12:00:01", verdict=1)])
        settings["GRADER_API_URL"] = api_server.url
        with deployment(**settings) as found:
            assert found.run("migrate").returncode == 0
            for role in SERVING:
                found.start(role)
            assert eventually(found.has_code, 120), found.said("ui")
            late = found.run("status")
            assert late.returncode == 1
            assert f"{yesterday}, is not out: no day was loaded yet." in late.stdout
            assert watch.paths == []
            run = found.launch(yesterday.isoformat())
            assert eventually(lambda: found.status(run) in {"SUCCESS", "FAILURE"}, 90)
            assert found.status(run) == "SUCCESS", found.why(run)
            yield found


def said(roles: Deployment) -> str:
    """What `status` says, in a process of its own."""
    done = roles.run("status")
    # Yesterday's report is out. What is wrong now is about the mornings to come.
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done.stdout


def is_late_tomorrow(roles: Deployment, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether cron will get an exit code of 1 tomorrow if nothing changes."""
    for name in ("GRADER_TIMEZONE", "GRADER_START_DATE", "DATABASE_URL", *api("", "")):
        monkeypatch.setenv(name, roles.environment[name])
    settings, postgres = Settings(), Postgres()
    now = dt.datetime.now(settings.timezone) + dt.timedelta(days=1)
    with postgres.transaction() as db:
        found = status._found(db, settings, now)
    postgres.close()
    return bool(found["is_late"])


def forget(url: str) -> None:
    """Let the heartbeat of this morning be one that was not asked yet."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("DELETE FROM heartbeat")


def was_evaluated(url: str, since: float) -> bool:
    """Whether the mail sensor was evaluated from then (Unix time) on."""
    with psycopg.connect(url) as db:
        found = db.execute(
            "SELECT FROM dagster.job_ticks WHERE tick_body::json ->> 'job_name' = 'mail_sensor'"
            " AND (tick_body::json ->> 'timestamp')::float > %s AND status <> 'STARTED'",
            [since],
        )
        return found.fetchone() is not None


def make_old(url: str) -> None:
    """Let the last evaluation of each sensor be an hour ago. Status waits for five minutes."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(
            "UPDATE dagster.instigators SET instigator_body = jsonb_set(instigator_body::jsonb,"
            " '{job_specific_data,last_tick_timestamp}',"
            " to_jsonb(extract(epoch FROM now()) - 3600)) WHERE instigator_type = 'SENSOR'"
        )


def change(roles: Deployment, kind: str, name: str, *, stop: bool) -> None:
    """Stop or start a schedule or sensor, as the UI does."""
    large = kind.capitalize()
    if not stop:
        start = START % ("Schedule" if kind == "schedule" else large, kind, kind)
        roles.ask(start, {"name": name})
        return
    found = roles.ask(STATES % (kind, large, kind))[f"{kind}sOrError"]["results"]
    (state,) = [each[f"{kind}State"]["id"] for each in found if each["name"] == name]
    mutation = "stopRunningSchedule" if kind == "schedule" else "stopSensor"
    roles.ask(STOP % mutation, {"id": state})


def test_a_morning_that_went_well_is_one_heartbeat(roles: Deployment, watch: Grader) -> None:
    assert eventually(lambda: len(watch.paths) == 1, 60), roles.said("code-server")
    assert watch.paths == [f"/{SECRET}"]
    assert "stopped" not in said(roles)


def test_a_schedule_or_sensor_stopped_in_the_ui_is_said_and_the_heartbeat_is_silent(
    roles: Deployment, watch: Grader, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(roles, "schedule", "morning", stop=True)
    forget(url)
    stopped_at, asked = time.time(), len(watch.paths)
    assert "The schedule morning is stopped in Dagster's UI" in said(roles)
    assert is_late_tomorrow(roles, monkeypatch)
    assert eventually(lambda: was_evaluated(url, stopped_at), 60)
    assert len(watch.paths) == asked
    change(roles, "sensor", "mail_sensor", stop=True)
    change(roles, "schedule", "morning", stop=False)
    text = said(roles)
    assert "The sensor mail_sensor is stopped in Dagster's UI" in text
    assert "morning is stopped" not in text
    assert len(watch.paths) == asked
    change(roles, "sensor", "mail_sensor", stop=False)
    assert eventually(lambda: len(watch.paths) == asked + 1, 60)


def test_a_dead_code_server_and_code_that_cannot_be_loaded_are_said_and_the_heartbeat_is_silent(
    roles: Deployment, watch: Grader, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles.processes["code-server"].kill()
    roles.processes["code-server"].wait()
    forget(url)
    make_old(url)
    asked = len(watch.paths)
    text = said(roles)
    # Whether the daemon has tried it once more is a matter of chance.
    assert re.search(r"The daemon (has evaluated no sensor for 60 minutes|cannot evaluate)", text)
    assert f"The code server: no answer at 127.0.0.1:{roles.code_port}" in text
    (roles.folder / "empty").mkdir()
    roles.start("code-server", GRADER_REPORTS=str(roles.folder / "empty"))
    assert eventually(lambda: roles.health("code-server").returncode == 0, 60)
    make_old(url)
    text = said(roles)
    assert "The code server: the code cannot be loaded" in text
    assert "has no .sql file. Put reports there, or unset it." in text
    assert is_late_tomorrow(roles, monkeypatch)
    assert len(watch.paths) == asked
    roles.processes["code-server"].kill()
    roles.processes["code-server"].wait()
    roles.start("code-server")
    assert eventually(lambda: len(watch.paths) == asked + 1, 90), roles.said("code-server")
    assert "The daemon" not in said(roles)


def test_a_dead_daemon_is_said_and_the_heartbeat_is_silent(
    roles: Deployment, watch: Grader, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles.processes["daemon"].kill()
    roles.processes["daemon"].wait()
    forget(url)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("UPDATE dagster.daemon_heartbeats SET timestamp = now() - interval '1 day'")
    asked = len(watch.paths)
    text = said(roles)
    assert "The daemon gives no sign of life for 120 s of " in text
    assert "it is started again. Its output says why it ended." in text
    assert is_late_tomorrow(roles, monkeypatch)
    assert len(watch.paths) == asked
    roles.start("daemon")
    assert eventually(lambda: len(watch.paths) == asked + 1, 90), roles.said("daemon")

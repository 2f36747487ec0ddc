"""Each role is one process that others find, that says whether it serves, and that ends in time."""

import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from grader_pipeline_tests import grader
from grader_pipeline_tests.grader import Grader, attempt, rows
from grader_pipeline_tests.roles.deployment import DAY, SERVING, Deployment, deployment
from grader_pipeline_tests.stacks import api
from grader_pipeline_tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

END_SECONDS = 15


@pytest.fixture(scope="module")
def answering() -> Iterator[Grader]:
    """A grader whose answers wait until ``go_on`` is set, as it is for most tests."""
    with grader.running() as server:
        server.hold(rows([attempt(), attempt("2023-05-31 10:00:00.000000", verdict=1)]))
        yield server


@pytest.fixture(autouse=True)
def _going_on(answering: Grader) -> None:
    answering.go_on.set()


@pytest.fixture(scope="module")
def url(postgres_18: str) -> Iterator[str]:
    name = f"roles_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_18, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield postgres_18.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def roles(url: str, answering: Grader) -> Iterator[Deployment]:
    """All roles, each started by its own command."""
    with deployment(DATABASE_URL=url, **api(answering.url, "sample")) as found:
        for role in SERVING:
            asked = found.health(role)
            assert asked.returncode == 1
            (why,) = asked.stdout.splitlines()
            assert why.startswith(f"{role}: ")
        migrated = found.run("migrate")
        assert migrated.returncode == 0, migrated.stderr
        for role in SERVING:
            found.start(role)
        for role in SERVING:
            assert is_healthy(found, role), found.said(role)
        yield found


def is_healthy(roles: Deployment, role: str) -> bool:
    def asked() -> bool:
        time.sleep(0.5)  # each question is a process
        return roles.health(role).returncode == 0

    return eventually(asked, 120)


def kill(roles: Deployment, role: str) -> None:
    roles.processes[role].kill()
    roles.processes[role].wait()


def forget_heartbeats(url: str) -> None:
    """Let the daemon's last signs of life be old. Otherwise they count for two minutes."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("UPDATE dagster.daemon_heartbeats SET timestamp = now() - interval '1 day'")


def runs_a_day(roles: Deployment) -> bool:
    assert eventually(roles.has_code, 120)
    run = roles.launch()
    assert eventually(lambda: roles.status(run) in {"SUCCESS", "FAILURE"}, 90), roles.status(run)
    assert roles.status(run) == "SUCCESS", roles.why(run)
    return True


def test_the_roles_find_each_other_and_run_a_day(roles: Deployment, url: str) -> None:
    assert runs_a_day(roles)
    with psycopg.connect(url) as db:
        loaded = db.execute("SELECT report_date::text, loaded FROM grader_load").fetchall()
    assert loaded == [(DAY, 2)]


@pytest.mark.parametrize("role", SERVING)
def test_a_killed_role_is_not_healthy_and_the_others_go_on_with_the_next_one(
    roles: Deployment, role: str, url: str
) -> None:
    kill(roles, role)
    forget_heartbeats(url)
    asked = roles.health(role)
    assert asked.returncode == 1
    assert "no " in asked.stdout
    for other in set(SERVING) - {role}:
        assert roles.processes[other].poll() is None
    roles.start(role)
    assert is_healthy(roles, role), roles.said(role)
    assert runs_a_day(roles)


@pytest.mark.parametrize("role", SERVING)
def test_a_role_ends_on_sigterm_within_15_s_and_with_0_whatever_its_parent_ignored(
    roles: Deployment, role: str, url: str
) -> None:
    kill(roles, role)
    forget_heartbeats(url)
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell has it for `… &`
    try:
        roles.start(role)
    finally:
        signal.signal(signal.SIGINT, ignored)
    assert is_healthy(roles, role), roles.said(role)
    before = time.monotonic()
    roles.processes[role].terminate()
    assert roles.processes[role].wait(60) == 0, roles.said(role)
    assert time.monotonic() - before < END_SECONDS
    roles.start(role)
    assert is_healthy(roles, role), roles.said(role)


def test_a_worker_that_ends_interrupts_its_run_whose_day_the_next_worker_takes_up(
    roles: Deployment, answering: Grader, url: str
) -> None:
    assert eventually(roles.has_code, 120)
    answering.go_on.clear()
    before = len(answering.requests)
    run = roles.launch()
    assert eventually(lambda: len(answering.requests) > before, 60), roles.why(run)
    worker = roles.processes["worker"]
    worker.terminate()
    assert worker.wait(END_SECONDS) == 0, roles.said("worker")
    answering.go_on.set()
    assert eventually(lambda: roles.status(run) in {"FAILURE", "CANCELED"}, 60), roles.status(run)
    roles.start("worker")

    def is_taken_up() -> bool:
        with psycopg.connect(url) as db:
            found = db.execute(
                "SELECT count(*) FROM dagster.runs WHERE status = 'SUCCESS'"
                " AND run_body::json ->> 'root_run_id' = %s",
                [run],
            ).fetchone()
        return found == (1,)

    assert eventually(is_taken_up, 90), roles.why(run)


@pytest.mark.parametrize("role", ["daemon", "worker"])
def test_a_second_installation_is_refused_and_the_first_goes_on(
    roles: Deployment, role: str, url: str, answering: Grader
) -> None:
    with deployment(DATABASE_URL=url, **api(answering.url, "sample")) as second:
        refused = second.run(role)
    assert refused.returncode == 1
    assert f"GRADER_HOME {roles.environment['GRADER_HOME']} on the host" in refused.stderr
    for serving in SERVING:
        assert roles.processes[serving].poll() is None, roles.said(serving)


@pytest.mark.parametrize("role", ["daemon", "worker"])
def test_a_home_has_one_daemon_and_one_worker(roles: Deployment, role: str) -> None:
    refused = roles.run(role)
    assert refused.returncode == 1
    assert f"is in use by process {roles.processes[role].pid}" in refused.stderr


def test_a_read_only_ui_shows_everything_and_starts_nothing(roles: Deployment) -> None:
    serving = roles.processes["ui"]
    writing, roles.ui_port = roles.ui_port, roles.ui_port + 1
    reader = roles.start("ui", "--read-only")
    try:
        assert is_healthy(roles, "ui"), roles.said("ui")
        assert eventually(roles.has_code, 120)
        with pytest.raises(KeyError):  # no run is in the answer
            roles.launch()
        assert roles.get("/metrics").status_code == 200
    finally:
        reader.kill()
        reader.wait()
        roles.processes["ui"], roles.ui_port = serving, writing


def test_a_changed_limit_of_a_pool_arrives_with_the_next_start_of_the_daemon(
    roles: Deployment, url: str
) -> None:
    def limit() -> int:
        with psycopg.connect(url) as db:
            found = db.execute(
                'SELECT "limit" FROM dagster.concurrency_limits'
                " WHERE concurrency_key = 'grader_api'"
            ).fetchone()
        assert found
        return int(found[0])

    assert limit() == 2
    kill(roles, "daemon")
    roles.start("daemon", GRADER_API_CONCURRENCY="5")
    assert eventually(lambda: limit() == 5, 120), roles.said("daemon")


@pytest.mark.parametrize("role", [*SERVING, "migrate"])
def test_a_role_without_a_database_says_what_brings_one(tmp_path: Path, role: str) -> None:
    with deployment() as found:
        done = found.run(role)
    assert done.returncode == 1
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("grader-pipeline: ")]
    assert "DATABASE_URL is not set" in said
    assert "grader-pipeline dev" in said


def test_a_role_waits_for_a_server_that_starts_at_the_same_time_and_may_be_ended_meanwhile(
    url: str, tmp_path: Path
) -> None:
    real = Path(psycopg.conninfo.conninfo_to_dict(url)["host"])
    place = tmp_path / "sockets"
    early = psycopg.conninfo.make_conninfo(url, host=str(place))
    with deployment(DATABASE_URL=early) as found:
        waiting = found.start("daemon")
        assert eventually(lambda: "Waiting up to 60 s" in found.said("daemon"), 60)
        waiting.terminate()
        assert waiting.wait(END_SECONDS) == 0, found.said("daemon")
        process = found.start("code-server")
        assert eventually(lambda: "Waiting up to 60 s" in found.said("code-server"), 60)
        assert process.poll() is None
        place.symlink_to(real)
        assert is_healthy(found, "code-server"), found.said("code-server")

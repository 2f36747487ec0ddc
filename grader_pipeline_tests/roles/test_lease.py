"""One installation works on a database at a time. The lease is free soon after it has ended."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from grader_pipeline.local.services import Services
from grader_pipeline.roles import lease
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.lease import installation_key, sole_installation
from grader_pipeline_tests.waiting import eventually

HOLDER = """
import sys, threading
from pathlib import Path
from grader_pipeline.roles import lease
from grader_pipeline.roles.errors import LauncherError
lease.RENEW_SECONDS = 0.1
url, key, home = sys.argv[1:]
ends = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ends.set()), daemon=True).start()
with lease.sole_installation(url, key, Path(home)) as held:
    print("has it", flush=True)
    while not ends.wait(0.1):
        try:
            held.require()
        except LauncherError as error:
            sys.exit(str(error))
"""
FIRST = ("first", "/srv/first")


@contextmanager
def holding(url: str, key: str, home: str) -> Iterator[subprocess.Popen[str]]:
    """The launcher of another installation, as far as the lease is concerned."""
    command = [sys.executable, "-c", HOLDER, url, key, home]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "has it\n"
        try:
            yield holder
        finally:
            holder.kill()


def take(url: str, key: str = "second") -> lease.Lease:
    with sole_installation(url, key, Path("/srv", key)) as held:
        return held


def row(url: str) -> dict[str, Any]:
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as db:
        return db.execute("SELECT *, now() FROM installation").fetchone() or {}


def change(url: str, what: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        assert db.execute(f"UPDATE installation SET {what}".encode()).rowcount == 1


def test_another_installation_is_refused_and_reads_who_has_the_database(database_url: str) -> None:
    with holding(database_url, *FIRST):
        since = f"{row(database_url)['taken_at']:%Y-%m-%d %H:%M} UTC"
        with pytest.raises(LauncherError) as refused:
            take(database_url)
    for said in ("GRADER_HOME /srv/first", f"the host {socket.gethostname()}", since, "Stop that"):
        assert said in str(refused.value)


@pytest.mark.parametrize("end", [lambda p: p.stdin.close(), lambda p: p.kill()])
def test_the_lease_is_free_at_once_when_its_holder_has_ended_or_is_gone_from_this_machine(
    database_url: str, end: Callable[[subprocess.Popen[str]], None]
) -> None:
    with holding(database_url, *FIRST) as holder:
        end(holder)
        # A killed process that nobody has waited for is gone, too.
        assert eventually(lambda: is_takeable(database_url), 10)


def is_takeable(url: str) -> bool:
    try:
        take(url)
    except LauncherError:
        return False
    return True


def test_a_holder_on_another_host_is_believed_dead_after_30_s_of_the_servers_clock(
    database_url: str,
) -> None:
    take(database_url, "first")
    # The same number and start of a process, of another machine: nobody here can see it.
    change(database_url, "process = 'elsewhere' || substring(process from ' .*')")
    change(database_url, "host = 'elsewhere', renewed_at = now() - interval '20 s'")
    with pytest.raises(LauncherError, match=r"If that host is gone, start again in (10|9|8) s"):
        take(database_url)
    change(database_url, "renewed_at = now() - interval '30 s'")
    take(database_url)
    assert row(database_url)["key"] == "second"


def test_the_same_installation_takes_its_lease_again_at_once(database_url: str) -> None:
    with holding(database_url, *FIRST):
        take(database_url, "first")


def test_a_holder_renews_its_lease_also_after_its_session_was_ended(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.1)

    def is_renewed() -> bool:
        change(database_url, "renewed_at = now() - interval '1 hour'")
        return eventually(lambda: (now := row(database_url))["renewed_at"] > now["taken_at"], 10)

    with sole_installation(database_url, "first", Path("/srv/first")) as held:
        assert is_renewed()
        with psycopg.connect(database_url) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert is_renewed()
        held.require()
    before = threading.active_count()
    assert eventually(lambda: threading.active_count() <= before)


@pytest.mark.parametrize("was_taken", [True, False])
def test_a_paused_holder_stops_if_another_took_the_lease_meanwhile_and_goes_on_if_nobody_did(
    database_url: str, was_taken: bool
) -> None:
    with holding(database_url, *FIRST) as holder:
        holder.send_signal(signal.SIGSTOP)
        change(database_url, "renewed_at = now() - interval '1 minute'")
        if was_taken:
            take(database_url)
        holder.send_signal(signal.SIGCONT)
        if was_taken:
            assert holder.wait(10) == 1
            assert holder.stderr
            said = holder.stderr.read()
            assert "GRADER_HOME /srv/second" in said
            assert "was paused, or could not reach the database. It stops." in said
        else:
            assert eventually(lambda: (now := row(database_url))["renewed_at"] > now["taken_at"])
            assert holder.poll() is None


def test_the_services_are_not_kept_running_without_the_lease(database_url: str, home: Path) -> None:
    with sole_installation(database_url, *("first", Path("/srv/first"))) as held:
        services = Services({}, home, held.require)
        services.check()
        held._refusal = "Another installation works on the database."
        with pytest.raises(LauncherError, match="It stops"):
            services.check()


def test_a_home_keeps_its_key(home: Path) -> None:
    home.mkdir()
    first = installation_key(home)
    assert len(first) > 30
    assert installation_key(home) == first
    (other := home / "other").mkdir()
    assert installation_key(other) != first

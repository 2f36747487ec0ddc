"""What `dev` and `demo` refuse to start with, and what they say to do instead."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grader_pipeline.local.services import free_port
from grader_pipeline.roles.lease import sole_installation
from grader_pipeline.settings import SAMPLE_CLIENT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("name", ["SMTP_HOST", "GOOGLE_SHEETS_CREDENTIALS", "GOOGLE_SHEETS_ID"])
@pytest.mark.parametrize("client", [None, SAMPLE_CLIENT])
def test_made_up_numbers_are_kept_from_colleagues(
    home: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    client: str | None,
) -> None:
    monkeypatch.setenv(name, "somewhere")
    if client:
        monkeypatch.setenv("GRADER_API_URL", "http://127.0.0.1:1/")
        monkeypatch.setenv("GRADER_API_CLIENT", client)
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", client)
    done = run("dev")
    assert done.returncode == 1
    assert "colleagues would get them. Unset these" in done.stderr
    assert not (home / "dagster").exists()


@pytest.mark.parametrize("name", ["DATABASE_URL", "GRADER_STORAGE"])
@pytest.mark.parametrize("client", [None, SAMPLE_CLIENT])
def test_made_up_days_are_kept_from_the_places_of_real_ones(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, name: str, client: str | None
) -> None:
    monkeypatch.setenv(name, str(home / "real"))
    if client:
        monkeypatch.setenv("GRADER_API_URL", "http://127.0.0.1:1/")
        monkeypatch.setenv("GRADER_API_CLIENT", client)
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", client)
    done = run("dev")
    assert done.returncode == 1
    assert "would be among the real ones. Set GRADER_API_URL" in done.stderr
    assert "Or start `grader-pipeline dev --demo`" in done.stderr
    assert not list(home.glob("**/dagster"))


@pytest.mark.parametrize("command", ["dev", "demo"])
@pytest.mark.parametrize("place", ["{tmp}/file/home", "/proc/home"])
def test_a_home_that_cannot_be_written_is_named_with_what_to_do(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
    place: str,
) -> None:
    (tmp_path / "file").touch()
    home = place.format(tmp=tmp_path)
    monkeypatch.setenv("GRADER_HOME", home)
    done = run(command)
    assert done.returncode == 1
    assert f"{home}/demo/dagster cannot be written (" in done.stderr
    assert "set GRADER_HOME to a folder that can" in done.stderr
    assert "Errno" not in done.stderr


def test_the_ui_is_not_opened_to_other_machines_without_the_names_it_is_reached_by(
    home: Path, run: Run
) -> None:
    done = run("dev", "--host", "0.0.0.0")
    assert done.returncode == 1
    assert "anybody there could start runs" in done.stderr
    assert "set GRADER_UI_HOSTS" in done.stderr
    assert not list(home.glob("**/dagster"))


def test_two_homes_do_not_work_on_one_database_at_the_same_time(
    home: Path, run: Run, real_api: None, database_url: str
) -> None:
    with sole_installation(database_url, "another", Path("/srv/another")):
        done = run("dev", "--port", str(free_port()))
        assert done.returncode == 1
        assert "GRADER_HOME /srv/another on the host" in done.stderr
        assert not (home / "dagster" / "output").exists()
        # Commands that are done at once take nothing from it.
        assert "another installation" not in run("status").stderr.lower()
        assert run("mail", "list").returncode == 0


def test_slots_are_for_a_worker_with_a_broker_only(home: Path, run: Run) -> None:
    done = run("worker", "--slots", "2")
    assert done.returncode == 1
    assert "--slots is for a worker of GRADER_BROKER_URL" in done.stderr
    with pytest.raises(SystemExit):
        run("worker", "--slots", "0")

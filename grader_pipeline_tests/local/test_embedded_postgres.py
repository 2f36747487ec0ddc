"""The embedded PostgreSQL has one owner, ends with it, and keeps what was committed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from grader_pipeline.local import embedded_postgres as module
from grader_pipeline.local import postgres_user
from grader_pipeline.local.embedded_postgres import embedded_postgres
from grader_pipeline.local.postgres_user import server_account
from grader_pipeline.roles import home_lock
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline_tests.small_disk import fill, make_room, small_disk
from grader_pipeline_tests.waiting import eventually

Start = Callable[..., subprocess.Popen[str]]

OWNER = """
import sys, time
from pathlib import Path
from grader_pipeline.local.embedded_postgres import embedded_postgres
from grader_pipeline.roles.errors import Stopped, stop_on_signals
stop_on_signals()
try:
    with embedded_postgres(Path(sys.argv[1])) as url:
        print(url, flush=True)
        time.sleep(600)
except Stopped:
    pass
"""


def own(start: Start, home: Path) -> tuple[subprocess.Popen[str], str]:
    owner = start(sys.executable, "-c", OWNER, str(home))
    assert owner.stdout
    return owner, owner.stdout.readline().strip()


def postmaster(home: Path) -> psutil.Process:
    note = home / "postgres" / "data" / "postmaster.pid"
    return psutil.Process(int(note.read_text().splitlines()[0]))


def answer(url: str, query: str) -> object:
    with psycopg.connect(url) as db:
        row = db.execute(query).fetchone()
        return row[0] if row else None


def keep(url: str) -> None:
    with psycopg.connect(url) as db:
        db.execute("CREATE TABLE kept AS SELECT 1 AS one")


def test_it_is_durable_knows_all_letters_and_is_private_under_a_path_of_any_length(
    home: Path,
) -> None:
    with embedded_postgres(home / ("long" * 40)) as url:
        assert answer(url, "SHOW fsync") == answer(url, "SHOW full_page_writes") == "on"
        assert answer(url, "SHOW synchronous_commit") == "on"
        assert answer(url, "SHOW listen_addresses") == ""
        assert answer(url, "SHOW server_version_num")[:2] == "18"  # type: ignore[index]
        assert answer(url, "SHOW server_encoding") == "UTF8"
        assert answer(url, "SELECT lower('ЁЖ')") == "ёж"
        sockets = Path(str(answer(url, "SHOW unix_socket_directories")))
        assert sockets.stat().st_mode & 0o077 == 0
    assert not sockets.exists()


def test_a_second_owner_is_told_who_the_first_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_lock, "PATIENCE", 0)
    with (
        embedded_postgres(home) as url,
        pytest.raises(LauncherError, match=f"in use by process {os.getpid()}.*GRADER_HOME"),
        embedded_postgres(home),
    ):
        pass
    with embedded_postgres(home) as again:
        assert again == url


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_its_owner_and_the_next_finds_what_was_committed(
    home: Path, started: Start, way: signal.Signals
) -> None:
    owner, url = own(started, home)
    keep(url)
    server = postmaster(home)
    idle = psycopg.connect(url)
    owner.send_signal(way)
    assert eventually(lambda: not server.is_running())
    idle.close()
    with embedded_postgres(home) as url:
        assert answer(url, "SELECT one FROM kept") == 1


def test_a_server_that_dies_is_started_again_with_what_was_committed(home: Path) -> None:
    def answers() -> bool:
        try:
            return answer(url, "SELECT one FROM kept") == 1
        except psycopg.OperationalError:
            return False

    with embedded_postgres(home) as url:
        keep(url)
        server = postmaster(home)
        server.kill()
        assert eventually(lambda: not server.is_running())
        assert eventually(answers)


def test_a_server_left_by_a_dead_owner_is_ended_before_another_is_started(
    home: Path,
) -> None:
    with embedded_postgres(home):
        command = [postmaster(home).exe(), "-D", str(home / "postgres" / "data")]
    account = server_account().able_to_use(home / "postgres")
    user, group = account.other or (None, None)
    leftover = subprocess.Popen(
        [*account.prefix, *command, "-c", "unix_socket_directories=.", "-c", "listen_addresses="],
        stderr=subprocess.DEVNULL,
        user=user,
        group=group,
    )
    note = home / "postgres" / "data" / "postmaster.pid"
    assert eventually(lambda: note.exists() and note.read_text().endswith("ready   \n"))
    with embedded_postgres(home) as url:
        assert leftover.wait(5) == 0
        assert answer(url, "SELECT 1") == 1


def test_a_note_that_names_another_process_costs_that_process_nothing(home: Path) -> None:
    with embedded_postgres(home):
        pass
    innocent = subprocess.Popen(["sleep", "600"])
    try:
        (home / "postgres" / "data" / "postmaster.pid").write_text(f"{innocent.pid}\n")
        with embedded_postgres(home) as url:
            assert answer(url, "SELECT 1") == 1
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_database_whose_making_was_interrupted_is_made_anew(home: Path) -> None:
    half = home / "postgres" / "data.unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with embedded_postgres(home) as url:
        assert answer(url, "SELECT 1") == 1


def test_a_server_that_cannot_start_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STARTS", 1)
    monkeypatch.setitem(module._OPTIONS, "shared_buffers", "plenty")
    with pytest.raises(LauncherError, match="shared_buffers"), embedded_postgres(home):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests are an ordinary user's already")
def test_it_runs_as_an_ordinary_user_too(tmp_path: Path) -> None:
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    base = Path("/tmp") / f"grader-test-{os.getpid()}"
    base.mkdir()
    os.chown(base, 65534, 65534)
    try:
        subprocess.run([sys.executable, "-c", "import psycopg"], check=True, cwd="/", **nobody)
    except (PermissionError, subprocess.CalledProcessError):
        base.rmdir()
        pytest.skip("this Python lies where other users cannot go")
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(base / "home")],
        stdout=subprocess.PIPE, text=True, cwd="/", **nobody,
    )  # fmt: skip
    assert owner.stdout
    assert answer(owner.stdout.readline().strip(), "SELECT 1") == 1
    owner.terminate()
    assert owner.wait(20) == 0
    subprocess.run(["rm", "-rf", str(base)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_root_changes_the_mode_of_no_folder_above_its_own(home: Path) -> None:
    home.parent.chmod(0o700)
    folders = [home.parent, *home.parent.parents, *Path(sys.prefix).parents]
    before = {folder: folder.stat().st_mode for folder in folders}
    with embedded_postgres(home) as url:
        assert answer(url, "SELECT 1") == 1
        assert postmaster(home).uids().effective == server_account().uid != 0
    assert {folder: folder.stat().st_mode for folder in folders} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_root_without_capabilities_is_referred_to_an_ordinary_user(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.parent.chmod(0o700)
    monkeypatch.setattr(postgres_user, "_CAPABILITIES", ())
    with pytest.raises(LauncherError, match="Start as an ordinary user"), embedded_postgres(home):
        pass


def test_a_server_whose_disk_was_full_serves_again_when_there_is_room(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FULL_DISK_PAUSE", 0.1)
    one = "SELECT count(pg_logical_emit_message(true, 'x', repeat('a', 8000)))"
    much = f"{one} FROM generate_series(1, 500)"
    with small_disk(home, 200 * 1024 * 1024), embedded_postgres(home) as url:
        # Its write-ahead log needs a file more, and the server dies.
        with pytest.raises(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as db:
            fill(home, leave=100_000)
            for _ in range(100):
                db.execute(much)
        assert eventually(lambda: caplog.text.count(f"The disk of {home}") > module.STARTS, 60)
        make_room(home)
        assert eventually(lambda: is_up(url), 60)


def is_up(url: str) -> bool:
    try:
        return answer(url, "SELECT 1") == 1
    except psycopg.OperationalError:
        return False

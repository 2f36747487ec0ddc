"""``demo`` has its own world: it reads and reaches nothing that the settings name."""

import datetime as dt
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import psutil
import pytest

from grader_pipeline.local import demo_world
from grader_pipeline.local.services import free_port
from grader_pipeline.settings import SAMPLE_CLIENT, Settings
from grader_pipeline_tests.cli.test_dev import ask, ready
from grader_pipeline_tests.processes import COMMAND, asked, processes_of

Start = Callable[..., subprocess.Popen[str]]

# A week takes a minute.
SHORT_DEMO = """
import sys
from grader_pipeline.cli import demo
from grader_pipeline.cli.command import main
demo.DAYS = 2
sys.exit(main(["demo"]))
"""
ZONE = "Pacific/Kiritimati"
RUNS = "{ runsOrError { ... on Runs { results { status } } } }"


class Recorder:
    """A port of this machine that counts who connects."""

    def __init__(self) -> None:
        self.visits = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._count)
        self._thread.start()

    def _count(self) -> None:
        with suppress(OSError):
            while True:
                visitor, _ = self._listening.accept()
                self.visits += 1
                visitor.close()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@pytest.fixture
def recorders() -> Iterator[dict[str, Recorder]]:
    found = {name: Recorder() for name in ("API", "database", "sheet", "mail", "in environment")}
    yield found
    for recorder in found.values():
        recorder.close()


def real_settings(recorders: dict[str, Recorder], folder: Path) -> dict[str, str]:
    return {
        "GRADER_API_URL": f"http://{recorders['API'].address}/api",
        "GRADER_API_CLIENT": "school",
        "GRADER_API_CLIENT_KEY": "a-real-key",
        "DATABASE_URL": f"postgresql://me:a-real-password@{recorders['database'].address}/grader",
        "GRADER_TIMEZONE": ZONE,
        "GRADER_START_DATE": f"{dt.date.today() + dt.timedelta(days=9)}",
        "GRADER_STORAGE": str(folder / "real storage"),
        "GRADER_REPORTS": str(folder / "no such folder"),
        "GOOGLE_SHEETS_CREDENTIALS": "adc",
        "GOOGLE_SHEETS_API_URL": f"http://{recorders['sheet'].address}/",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": recorders["mail"].address.split(":")[1],
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "robot@school.example",
        "MAIL_TO": "staff@school.example",
    }


@pytest.mark.timeout(300)
def test_the_demo_reaches_nothing_that_env_file_or_environment_name_and_dev_shows_it(
    home: Path,
    started: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recorders: dict[str, Recorder],
) -> None:
    real = real_settings(recorders, tmp_path)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in real.items()))
    elsewhere = recorders["in environment"].address
    monkeypatch.setenv("smtp_host", elsewhere)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:a-real-password@{elsewhere}/grader")
    monkeypatch.setenv("send_email_for_python_project", "a-real-password")
    world = home / "demo"

    demo = started(sys.executable, "-c", SHORT_DEMO)
    said, _ = demo.communicate(timeout=200)
    assert demo.returncode == 0, said
    used = f"Settings: GRADER_HOME and GRADER_TIMEZONE of {tmp_path / '.env'}; GRADER_HOME: {world}"
    assert said.splitlines()[0] == used
    yesterday = dt.datetime.now(ZoneInfo(ZONE)).date() - dt.timedelta(days=1)
    assert f"Loading {yesterday - dt.timedelta(days=1)} to {yesterday}, " in said
    (workbook,) = world.glob("*.xlsx")
    assert openpyxl.load_workbook(workbook).worksheets[0]["A2"].value is not None
    assert len(list((world / "outbox").glob("*.eml"))) == 2
    assert [path.name for path in home.iterdir()] == ["demo"]
    assert f"The report of yesterday, {yesterday}, is out.\n" in said
    (clock,) = [line for line in said.splitlines() if line.startswith("Последняя попытка, время")]
    assert re.fullmatch(r"Последняя попытка, время( +\d\d:\d\d){2}", clock)
    assert "a-real-" not in (world / "logs" / "app_log.txt").read_text() + said

    port = free_port()
    dev = started(*COMMAND, "dev", "--demo", "--port", str(port))
    ready(dev)
    assert dev.stdout
    assert dev.stdout.readline() == f"The report of yesterday, {yesterday}, is out.\n"
    runs = ask(f"http://127.0.0.1:{port}", RUNS)["runsOrError"]["results"]
    assert runs == [{"status": "SUCCESS"}] * 2
    children = [process for process in processes_of(home) if process.pid != dev.pid]
    assert len(children) > 5
    assert "a-real-" not in str(asked(children, psutil.Process.environ))
    dev.terminate()
    assert dev.wait(60) == 130

    assert {name: recorder.visits for name, recorder in recorders.items()} == dict.fromkeys(
        recorders, 0
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env"]


@pytest.mark.parametrize(
    ("settings", "is_demos"),
    [
        ({}, True),
        ({"GRADER_API_URL": "http://127.0.0.1:1/", "GRADER_API_CLIENT": SAMPLE_CLIENT}, True),
        ({"GRADER_API_URL": "http://127.0.0.1:1/", "GRADER_API_CLIENT": "school"}, False),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/grader"}, False),
    ],
    ids=["nothing", "sample", "real API", "real database"],
)
@pytest.mark.parametrize("spelling", ["GRADER_HOME", "grader_home"])
def test_sample_days_have_the_demos_home_and_real_ones_the_users(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spelling: str,
    settings: dict[str, str],
    is_demos: bool,
) -> None:
    monkeypatch.setenv("GRADER_API_CLIENT_KEY", "a-key")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    users = tmp_path / "home"
    monkeypatch.delenv("GRADER_HOME")
    monkeypatch.setenv(spelling, str(users))
    assert demo_world.use_home(Settings()) == is_demos
    assert Settings().grader_home == (users / "demo" if is_demos else users)

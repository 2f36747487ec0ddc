"""Services are started again when they die, and nothing of them outlives the launcher."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from grader_pipeline.local import services
from grader_pipeline.local.services import Services
from grader_pipeline.roles import processes
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline_tests.processes import asked, processes_of
from grader_pipeline_tests.waiting import eventually

LAUNCHER = """
import os, sys, time
from pathlib import Path
from grader_pipeline.local.services import Services
from grader_pipeline.roles import processes
home = sys.argv[1]
KEEPER = (
    "from grader_pipeline.roles.errors import stop_on_signals; stop_on_signals(); "
    "from grader_pipeline.roles.worker import keep"
)
child = ["-c", "import subprocess; subprocess.run(['sleep', '600'])"]
with Services(os.environ | {"HOME_OF_TEST": home}, Path(home)) as services:
    services.start("plain", "-c", "import time; time.sleep(600)")
    services.start("kept", "-c", f"{KEEPER}; keep({child})")
    print("started", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def running(home: Path) -> Services:
    return Services(os.environ | {processes.MARK: str(home)}, home)


def test_neither_services_nor_what_they_started_survive_a_killed_launcher(
    home: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    launcher = started(sys.executable, "-c", LAUNCHER, str(home))
    assert launcher.stdout
    assert launcher.stdout.readline() == "started\n"
    assert eventually(lambda: "sleep" in asked(processes_of(home), psutil.Process.name))
    launcher.kill()
    launcher.wait()
    assert eventually(lambda: not processes_of(home))


def test_leaving_the_block_kills_services_that_do_not_want_to_end_and_names_them(
    home: Path, running: Services, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True);"
    with running:
        running.start("stubborn", "-c", f"{stubborn} time.sleep(600)")
        assert eventually(lambda: "deaf" in running.output("stubborn").read_text())
        assert processes_of(home)
        running.start("willing", "-c", "import time; time.sleep(600)")
        began = time.monotonic()
    assert time.monotonic() - began < 3
    assert not processes_of(home)
    (warning,) = caplog.messages
    assert warning.startswith("stubborn did not end within 1.5 s and was killed. This does no harm")


def test_a_service_can_be_interrupted_even_if_its_launcher_runs_in_the_background(
    running: Services,
) -> None:
    ours = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell has it for `make dev &`
    try:
        with running:
            asked = "import signal; print(signal.getsignal(signal.SIGINT).__name__)"
            assert running.start("service", "-c", asked).process.wait() == 0
    finally:
        signal.signal(signal.SIGINT, ours)
    assert running.output("service").read_text() == "default_int_handler\n"


def pid_of(running: Services) -> int:
    (service,) = running._services.values()
    return service.process.pid


def test_a_service_that_dies_soon_after_its_start_is_started_again(running: Services) -> None:
    with running:
        service = running.start("service", "-c", "import time; time.sleep(600)")
        first = service.process.pid
        service.process.kill()
        assert running.wait_until(lambda: pid_of(running) != first, 10)
        assert service.process.poll() is None


def test_a_service_that_dies_again_and_again_is_given_up_with_its_last_words_after_growing_pauses(
    running: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(services, "PAUSES", (0, 0.2, 0.4))
    with running:
        running.start("service", "-c", "raise SystemExit('no such thing as port -1')")
        started = time.monotonic()
        with pytest.raises(LauncherError, match=r"(?s)service ended with 1, 4 .*no such thing"):
            running.wait_until(lambda: False, 60)
    assert time.monotonic() - started > 0.6
    assert len(caplog.messages) == 3


def test_a_service_that_does_not_answer_is_started_again_and_one_that_does_is_left_alone(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "YOUNG_SECONDS", 0.5)
    monkeypatch.setattr(services, "PROBE_SECONDS", 0.1)
    silent = ["no answer"] * services.MOST_SILENT
    answers = iter([None, *silent[1:], None, *silent])
    with running:
        service = running.start(
            "service", "-c", "import time; time.sleep(600)", probe=lambda: next(answers, None)
        )
        first = service.process.pid
        assert running.wait_until(lambda: pid_of(running) != first, 20)
        assert next(answers, "no more") == "no more"
        second = service.process.pid
        assert not running.wait_until(lambda: pid_of(running) != second, 2)


def test_a_new_launcher_ends_what_the_one_before_has_left_and_nothing_else(
    home: Path, tmp_path: Path
) -> None:
    def sleeper(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "600"], env=os.environ | {processes.MARK: str(folder)})

    leftover, of_another_home = sleeper(home), sleeper(tmp_path / "another")
    try:
        processes.end_leftovers(home, patience=5)
        assert leftover.wait(5) is not None
        assert of_another_home.poll() is None
    finally:
        of_another_home.kill()
        of_another_home.wait()


def test_a_socket_folder_that_somebody_else_has_made_is_not_used(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with processes.socket_folder(home, "test", os.geteuid()) as folder:
        folder.rmdir()
        folder.symlink_to("/tmp")
        with (
            pytest.raises(LauncherError, match=re.escape(str(folder))),
            processes.socket_folder(home, "test", os.geteuid()),
        ):
            pass
        folder.unlink()

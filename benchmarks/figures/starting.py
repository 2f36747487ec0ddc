"""What is paid before and around the work: a run's overhead, and the way to a served UI."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.history import days_around
from benchmarks.lab import DAY, Lab
from benchmarks.results import Figure, Outcome
from benchmarks.servers import sample_api
from grader_pipeline.local.services import free_port
from grader_pipeline.settings import Settings

_USUAL_ROWS = 6_000
_PATIENCE = 120
_DEV = "import sys; from grader_pipeline.cli.command import main; sys.exit(main())"


def run_overhead(lab: Lab) -> Outcome:
    """Runs of usual days, one after the other in a warm process."""
    days = [*days_around(DAY, before=lab.times), DAY]
    with sample_api(_USUAL_ROWS) as api, lab.postgres.database() as url:
        for day in days:
            api.warm(day.api_window())
        run = lab.load("pipeline", api, days[0], url, *(day.key for day in days[1:]))
    warm = run.said["runs"][1:]
    figures = [
        Figure(
            f"a run's overhead beyond the assets' own work, day of {_USUAL_ROWS:,}, warm process",
            median(each["wall"] - each["own"] for each in warm), at_most=1, unit=" s",
        ),
        Figure("- the assets' own work", median(each["own"] for each in warm), unit=" s"),
        Figure("- Python's start and imports", run.wall - run.work, unit=" s"),
    ]  # fmt: skip
    return Outcome(figures, {f"{len(days)} days of {_USUAL_ROWS:,} in one process": [run]})


def served_ui(lab: Lab) -> Outcome:
    """``grader-pipeline dev`` until its page is there: the first time, and once more."""
    first, later = [], []
    home = Settings().grader_home / "benchmarks"
    for _ in range(lab.times):
        with tempfile.TemporaryDirectory(dir=home) as folder:
            Path(folder).chmod(0o711)
            first.append(_seconds_to_page(Path(folder)))
            later.append(_seconds_to_page(Path(folder)))
            print(f"  {first[-1]:.1f} s, then {later[-1]:.1f} s", flush=True)
    figures = [
        Figure("dev to a served UI, environment present", median(later), at_most=15, unit=" s"),
        Figure("- the first time, database made", median(first), at_most=15, unit=" s"),
    ]
    return Outcome(figures)


def _seconds_to_page(home: Path) -> float:
    port = free_port()
    known = {name.upper() for name in Settings.model_fields}
    inherited = {name: text for name, text in os.environ.items() if name.upper() not in known}
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _DEV, "dev", f"--port={port}"],
        env={**inherited, "GRADER_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    try:
        while not _answers(f"http://127.0.0.1:{port}/"):
            if process.poll() is not None or time.perf_counter() - begun > _PATIENCE:
                raise RuntimeError("`dev` serves no UI.")
            time.sleep(0.05)
        return time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)  # noqa: PLR2004
    except (URLError, OSError):
        return False

"""What is paid before the work: the way to a served UI."""

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

from benchmarks.lab import Lab
from benchmarks.results import Figure, Outcome
from grader_pipeline.local.services import free_port
from grader_pipeline.settings import Settings

_PATIENCE = 120
_DEV = "import sys; from grader_pipeline.cli.command import main; sys.exit(main())"


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

"""The local workbook under several writers, and under one that is killed."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader_pipeline.reports.day_metrics import MAIN_METRICS
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import daily_report
from grader_pipeline_tests.sheet.sheets_given import LABELS, metrics
from grader_pipeline_tests.sheet.sheets_given import workbook_lines as lines

pytestmark = pytest.mark.processes

WRITER = f"""
import datetime as dt, sys
from grader_pipeline.sheet.table import daily_report
from grader_pipeline.sheet.resource import Sheets

first, count, rounds = map(int, sys.argv[1:])
print("ready", flush=True)
for number in range(rounds):
    days = [dt.date(2023, 1, 1) + dt.timedelta(days=first + n) for n in range(count)]
    Sheets().show(daily_report([
        {{"report_date": day, "metric": metric, "label": label, "value": number}}
        for day in days for metric, label in {[*zip(MAIN_METRICS, LABELS, strict=True)]!r}
    ]))
"""


def writer(first: int, count: int, rounds: int) -> subprocess.Popen[str]:
    arguments = [str(number) for number in (first, count, rounds)]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_write_at_once_lose_no_day(path: Path) -> None:
    writers = [writer(first, 5, 2) for first in (0, 5, 10)]
    assert [process.wait(60) for process in writers] == [0, 0, 0]
    for process in writers:
        process.communicate()
    days = [line[0].date() for line in lines(path)[1:]]  # type: ignore[attr-defined]
    assert days == [dt.date(2023, 1, 15) - dt.timedelta(days=n) for n in range(15) for _ in "abc"]


def test_a_writer_killed_in_mid_write_leaves_a_whole_workbook(path: Path, sheets: Sheets) -> None:
    """The victim rewrites 400 days for ever; it is killed while its new file is on the way."""
    new = path.with_name(f".{path.name}.new")
    with writer(0, 400, 10_000) as victim:
        try:
            wait_for(path)
            while True:
                wait_for(new)
                os.kill(victim.pid, signal.SIGSTOP)
                if new.exists():
                    break
                os.kill(victim.pid, signal.SIGCONT)
        finally:
            victim.kill()

    seen = lines(path)
    assert len(seen) == 1201
    assert len({line[2] for line in seen[1:]}) == 1, "values of two writes in one workbook"
    sheets.show(daily_report(metrics("2023-05-31")))
    assert not new.exists()
    assert len(lines(path)) == 1201


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.002)

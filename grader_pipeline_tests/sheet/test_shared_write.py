"""Runs of days at the same time: few writes, and none ends before its day is in the sheet."""

import datetime as dt
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from grader_pipeline.assets.step4_metrics import REPORTS
from grader_pipeline.assets.step5_sheet_report import sheet_with
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import window
from grader_pipeline.reports.tables import store_reports
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.sheet import shared_write, unchanged, workbook
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import Table
from grader_pipeline.sheet.update import Written

DAYS = [dt.date(2023, 5, 1) + dt.timedelta(days=n) for n in range(5)]

writes: list[set[object]] = []
"""The days of each write."""
all_wait = threading.Event()


class SlowSheets(Sheets):
    """A sheet whose first write lasts until all runs have asked for it. It may refuse that one."""

    refuses: bool = False

    def shown(self, made_of: str) -> None:
        return None

    def show(self, tables: list[Table], *_: object) -> Written:  # type: ignore[override]
        (main,) = (table for table in tables if table.worksheet is None)
        writes.append({line[0] for line in main.lines})
        if len(writes) == 1:
            assert all_wait.wait(60)
            if self.refuses:
                writes[0] = set()
                raise PermanentFailure("refused")
        return Written("the sheet", 1, 1, written=True)


def run_all(url: str, sheets: Sheets) -> list[str]:
    """The last two steps of the days' runs, and how each ended."""
    writes.clear()
    all_wait.clear()
    for day in DAYS:
        store_reports(Postgres(), list(REPORTS.values()), window(day))

    def run(day: dt.date) -> str:
        try:
            with sheet_with(Postgres(), sheets, window(day), "run") as (_, shown, _outdated):
                assert any(day in days for days in writes), "it ended before its day was written"
                assert shown.where == "the sheet"
                return "wrote" if shown.cells else "waited"
        except PermanentFailure:
            return "failed"

    with ThreadPoolExecutor(len(DAYS)) as runs, psycopg.connect(url, autocommit=True) as db:
        found = [runs.submit(run, DAYS[0])]
        deadline = time.monotonic() + 60
        # It has read which days wait. The others come during its write.
        while not writes:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        found += [runs.submit(run, day) for day in DAYS[1:]]
        while db.execute("SELECT count(*) FROM sheet_request").fetchone() != (len(DAYS),):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        all_wait.set()
        ends = sorted(end.result() for end in found)
        assert db.execute("SELECT FROM sheet_request WHERE place IS NULL").fetchall() == []
    return ends


def test_runs_that_find_the_sheet_busy_leave_their_days_to_one_write(
    home: Path, database_url: str
) -> None:
    ends = run_all(database_url, SlowSheets())
    assert ends == ["waited"] * 3 + ["wrote"] * 2
    assert writes[-1] == set(DAYS)


def test_a_write_that_fails_fails_its_own_run_and_its_day_is_in_the_next_one(
    home: Path, database_url: str
) -> None:
    ends = run_all(database_url, SlowSheets(refuses=True))
    assert ends == ["failed", *["waited"] * 3, "wrote"]
    assert writes == [set(), set(DAYS)]


def test_a_workbook_is_left_alone_until_a_row_a_setting_or_the_file_changes(
    home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, show, shown = window(DAYS[0]), workbook.show, []

    def counted(path: Path, tables: list[tuple[str, Table]]) -> Written:
        shown.append(show(path, tables))
        return shown[-1]

    monkeypatch.setattr(workbook, "show", counted)
    store_reports(Postgres(), list(REPORTS.values()), day)

    def times() -> int:
        """How often two further runs of the day read the workbook."""
        before = len(shown)
        for _ in "12":
            with sheet_with(Postgres(), Sheets(), day, "run") as (_, written, _outdated):
                assert Path(written.where) == Settings().workbook
        return len(shown) - before

    def say(query: str) -> None:
        with psycopg.connect(database_url) as db:
            db.execute(query.encode())

    assert times() == 1
    assert times() == 0
    for change in (
        lambda: say("UPDATE daily_metrics SET value = 7 WHERE value = 0"),
        lambda: say("INSERT INTO given_name (course, task, name) VALUES ('c', '', 'n')"),
        lambda: say("INSERT INTO rollup_day (report_date, version) VALUES ('2023-04-30', 0)"),
        lambda: store_reports(Postgres(), list(REPORTS.values()), window(DAYS[1])),
        lambda: monkeypatch.setenv("GOOGLE_SHEETS_WORKSHEET", "Другой"),
        lambda: os.utime(Settings().workbook),
        Settings().workbook.unlink,
        lambda: monkeypatch.setattr(unchanged, "_CODE", "other code"),
    ):
        change()
        assert times() == 1
    # «tasks» shows the newest day, and DAYS[1] is stored.
    say(f"INSERT INTO tasks (report_date) VALUES ('{DAYS[1]}')")
    assert times() == 1
    say(f"INSERT INTO tasks (report_date) VALUES ('{DAYS[0]}')")
    assert times() == 0


def test_a_write_waits_for_the_runs_under_way_and_for_no_more_than_a_moment(
    home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_write, "_OTHERS_SECONDS", 20)
    store_reports(Postgres(), list(REPORTS.values()), window(DAYS[0]))
    asked = []

    def under_way() -> int:
        """The second run requests its day once the first one has asked for others."""
        asked.append(len(asked))
        if len(asked) == 2:
            with Postgres().transaction() as db:
                shared_write.request_day(db, DAYS[1])
        return 2

    begun = time.monotonic()
    with sheet_with(Postgres(), Sheets(), window(DAYS[0]), "run", under_way) as (db, shown, _):
        assert shown.written
        assert shared_write.requested_days(db) == {}
    assert len(asked) in {2, 3}
    os.utime(Settings().workbook)
    monkeypatch.setattr(shared_write, "_OTHERS_SECONDS", 0.1)
    with sheet_with(Postgres(), Sheets(), window(DAYS[0]), "run", lambda: 9):
        pass
    assert time.monotonic() - begun < 20

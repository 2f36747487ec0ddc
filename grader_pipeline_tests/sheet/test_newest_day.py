"""What readers have beside a task or an hour goes on with it to the next day.

Worksheets of the newest day alone: «Задания», «Часы». Each remark has the names of its line.
"""

import datetime as dt
from collections.abc import Callable

import pytest

from grader_pipeline.assets.step5_sheet_report import write_sheet
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.sheet.cells import DAY_ZERO
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import DAY, OK, X, Y, at
from grader_pipeline_tests.sheet.sheets_given import FAR, Reader

NAMES = {"Задания": slice(1, 4), "Часы": slice(1, 2)}
LEARNERS = ("ann", "bob", "cat", "dan", "eve")
Run = Callable[..., None]


@pytest.fixture
def run(database_url: str, sheets: Sheets) -> Run:
    """Loads a day on which five learners solve these tasks at these times, and writes the sheet."""
    school = School(Postgres())

    def day(back: int, tasks: dict[str, str]) -> None:
        date = DAY - dt.timedelta(days=back)
        solved = [at(c, n, OK, t, back=back) for t, c in tasks.items() for n in LEARNERS]
        school.load(date, solved)
        school.compute(date)
        with school.postgres.transaction(lock="sheet_report") as db:
            write_sheet(db, sheets)

    return day


def shown(reader: Reader, title: str) -> dict[str, tuple[int, object, str | None]]:
    """By the names of each line: its day back from DAY, its first figure, the remark beside it."""
    found = {}
    lines = reader.lines(title)[1:]
    for line in lines:
        cell = line[0]
        date = cell.date() if isinstance(cell, dt.datetime) else DAY_ZERO + dt.timedelta(days=cell)
        names = "|".join(map(str, line[NAMES[title]]))
        assert names not in found, "a line is there twice"
        found[names] = ((DAY - date).days, line[NAMES[title].stop], line[FAR])
    return found


def test_remarks_beside_a_task_or_an_hour_follow_it_to_the_next_day(
    reader: Reader, run: Run
) -> None:
    run(1, {X: "10:00", Y: "12:00"})
    for title, names in NAMES.items():
        for row, line in enumerate(reader.lines(title)[1:], start=1):
            reader.write(title, row, FAR, "|".join(map(str, line[names])))
    remarks = {title: list(shown(reader, title)) for title in NAMES}
    assert len(remarks["Задания"]) == 6

    run(0, {X: "10:00"})
    for title in NAMES:
        lines = shown(reader, title)
        assert {names: remark for names, (*_, remark) in lines.items()} == {
            names: names if names in remarks[title] else None for names in lines
        }
        # Nobody tried Y: its lines have no figures, and stay for what is beside them.
        assert all(
            (back, figure) == ((1, None) if Y in names else (0, 5))
            for names, (back, figure, _) in lines.items()
            if title == "Задания"
        )
    # A day before all others changes nothing of a line's names.
    run(3, {X: "10:00"})
    assert {n for n, (*_, r) in shown(reader, "Задания").items() if r} == {*remarks["Задания"]}

    run(-1, {X: "11:00", Y: "12:00"})
    lines = shown(reader, "Задания")
    assert {names: remark for names, (*_, remark) in lines.items()} == {n: n for n in lines}
    assert {back for back, *_ in lines.values()} == {-1}
    assert list(lines) == remarks["Задания"]


def test_an_hour_is_shown_from_its_start_to_its_end(reader: Reader, run: Run) -> None:
    run(0, {X: "10:00", Y: "23:59"})
    hours = list(shown(reader, "Часы"))
    assert len(hours) == 24
    assert (hours[0], hours[10], hours[23]) == ("00:00–01:00", "10:00–11:00", "23:00–00:00")

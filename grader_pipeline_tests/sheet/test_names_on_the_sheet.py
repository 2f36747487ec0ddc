"""What readers write on «Названия»: shown by the next run, and never changed by it."""

from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import load_workbook

from grader_pipeline.assets.step5_sheet_report import write_sheet
from grader_pipeline.reports.definition import NAMES_WORKSHEET, TODAY_WORKSHEET
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import COURSE, DAY, OK, X, at

Lines = list[list[Any]]
FAR = 25
"""A column right of ours on every worksheet."""


class Reader:
    """A colleague at a spreadsheet, whatever it is."""

    lines: Callable[[str], Lines]
    write: Callable[[str, int, int, str | int | None], None]
    """Title, row, column, both from 0, and what they type."""
    tabs: Callable[[], list[str]]


@pytest.fixture(params=["google", "workbook"])
def reader(request: pytest.FixtureRequest) -> Reader:
    found = Reader()
    if request.param == "google":
        spreadsheet = request.getfixturevalue("book")

        def type_in(title: str, row: int, column: int, value: str | int | None) -> None:
            kind = "stringValue" if isinstance(value, str) else "numberValue"
            cell = {} if value is None else {"userEnteredValue": {kind: value}}
            spreadsheet.put(title, row, column, cell)

        found.write = type_in
        found.lines = lambda title: [
            [None if cell == "" else cell for cell in line]
            for line in spreadsheet.values(title, FAR + 1)
        ]
        found.tabs = lambda: [each["properties"]["title"] for each in spreadsheet.sheets]
        return found
    file = request.getfixturevalue("path")

    def edit(title: str, row: int, column: int, value: str | int | None) -> None:
        workbook = load_workbook(file)
        workbook[title].cell(row + 1, column + 1).value = value
        workbook.save(file)

    found.write = edit
    found.lines = lambda title: [
        list(row) for row in load_workbook(file)[title].iter_rows(max_col=FAR + 1, values_only=True)
    ]
    found.tabs = lambda: load_workbook(file).sheetnames
    return found


@pytest.fixture
def run(database_url: str, sheets: Sheets) -> Callable[[], bool]:
    """Writes the sheet, as the end of a run does, and says whether anything changed."""
    school = School(Postgres())
    school.load(DAY, [at("10:00", name, OK) for name in ("ann", "bob", "cat", "dan", "eve")])
    school.compute(DAY)

    def write() -> bool:
        with school.postgres.transaction(lock="sheet_report") as db:
            return write_sheet(db, sheets).written

    return write


def test_a_name_is_shown_by_the_next_run_beside_the_same_remarks(
    reader: Reader, run: Callable[[], bool]
) -> None:
    assert run()
    assert reader.tabs()[0] == TODAY_WORKSHEET
    names = [line[:3] for line in reader.lines(NAMES_WORKSHEET)]
    assert names[1:] == [[COURSE, None, None], [COURSE, X, None]]
    assert reader.lines("Курсы")[1][1] == COURSE

    reader.write("Курсы", 1, FAR, "сбой на площадке")
    reader.write("Задания", 2, FAR, "переписать условие")
    for course, task in (("Анализ данных", "2.1 Циклы"), ("Анализ", "2.2 Списки"), (None, None)):
        reader.write(NAMES_WORKSHEET, 1, 2, course)
        reader.write(NAMES_WORKSHEET, 2, 2, task)
        assert run()
        line = reader.lines("Курсы")[1]
        assert (line[1], line[FAR]) == (course or COURSE, "сбой на площадке")
        line = reader.lines("Задания")[2]
        assert line[1:3] == [course or COURSE, task or X]
        assert line[FAR] == "переписать условие"
        # What readers wrote stays as it is, and once shown nothing is written.
        written = [line[:3] for line in reader.lines(NAMES_WORKSHEET)][1:]
        assert written == [[COURSE, None, course], [COURSE, X, task]]
        assert not run()


def test_what_is_no_name_changes_nothing_and_is_left_where_it_is(
    reader: Reader, run: Callable[[], bool]
) -> None:
    run()
    before = reader.lines("Задания")
    reader.write(NAMES_WORKSHEET, 1, 2, "я" * 201)
    reader.write(NAMES_WORKSHEET, 2, 2, 101)
    run()
    assert reader.lines("Задания") == before
    assert [line[2] for line in reader.lines(NAMES_WORKSHEET)][1:3] == ["я" * 201, 101]

"""What readers write on «Названия»: shown by the next run, and never changed by it."""

from collections.abc import Callable

import pytest

from grader_pipeline.assets.step5_sheet_report import write_sheet
from grader_pipeline.reports.definition import NAMES_WORKSHEET, TODAY_WORKSHEET
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import COURSE, DAY, OK, X, at
from grader_pipeline_tests.sheet.sheets_given import FAR, Reader


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

"""The page shows the names of courses and tasks that readers gave, as text."""

from pathlib import Path

from markupsafe import escape

from grader_pipeline.page.page import write_report
from grader_pipeline.reports.names import store_names
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import COURSE, DAY, OK, X, at

NAMES = ('<script>alert("1")</script>', "Циклы & <b>списки</b> 'х'")


def test_a_name_is_shown_on_the_page_instead_of_the_id_and_is_no_html(
    database_url: str, tmp_path: Path
) -> None:
    school = School(Postgres())
    school.load(DAY, [at("10:00", name, OK) for name in ("ann", "bob", "cat", "dan", "eve")])
    school.compute(DAY)
    page = tmp_path / "page.html"
    write_report(school.postgres, DAY, DAY, page)
    html = page.read_text()
    assert COURSE in html
    assert X in html
    with school.postgres.transaction() as db:
        assert not store_names(db, [(COURSE, None, NAMES[0]), (COURSE, X, NAMES[1])])
    write_report(school.postgres, DAY, DAY, page)
    html = page.read_text()
    for name in NAMES:
        assert name not in html
        assert str(escape(name)) in html
    assert COURSE not in html
    assert X not in html

"""docs/reports.md says what the files of sql/reports say."""

import difflib
import os

import pytest

from grader_pipeline.reports.report_files import reports
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import DAY
from grader_pipeline_tests.reports_page import PAGE, page


@pytest.fixture
def found(school: School) -> str:
    """The page. The lines of metrics are those of a day without attempts."""
    metrics = [report.name for report in reports() if report.plot]
    school.load(DAY, [])
    school.compute(DAY, *metrics)
    return page({name: sorted(school.rows(name), key=lambda row: row["place"]) for name in metrics})


def test_the_page_is_what_the_files_of_the_reports_give(found: str) -> None:
    if os.environ.get("RENEW_SNAPSHOT"):
        PAGE.write_text(found, encoding="utf-8")
    lines = PAGE.read_text(encoding="utf-8").splitlines(), found.splitlines()
    difference = "\n".join(difflib.unified_diff(*lines, "docs/reports.md", "now", lineterm=""))
    assert not difference, f"\n{difference}\nRun `make snapshot` and commit it."


def test_the_page_has_every_report_with_its_meaning_and_every_label(found: str) -> None:
    for report in reports():
        for text in (report.title, report.description, report.about):
            assert text, f"{report.name} lacks a title, a description or a meaning"
            assert text in found
        for column in report.columns.values():
            assert column.text in found

"""The page of a period fits on a phone and on paper."""

import datetime as dt
from pathlib import Path

import pytest
from playwright.sync_api import Page

from grader_pipeline.page.page import write_report
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.tables import store_reports
from grader_pipeline.resources.postgres import Postgres

LAST = dt.date(2023, 5, 31)
MILLIMETRE = 96 / 25.4
NARROWEST = 25
"""Pixels that a column with longer texts has at least: words below each other letter by letter
cannot be read."""
BROKEN = """([width, narrowest]) => [...document.querySelectorAll('section')].flatMap(section => {
  const broad = section.classList.contains('broad') ? 277 / 186 : 1;
  const parts = [...section.querySelectorAll('table, figure, img, h2')]
    .map(part => [section.id, part.tagName, part.getBoundingClientRect().right])
    .filter(([, , right]) => right > width * broad + 1);
  const cells = [...section.querySelectorAll('td, th')]
    .map(cell => [section.id, cell.innerText, cell.clientWidth])
    .filter(([, text, wide]) => text.length > 4 && wide < narrowest);
  return [...parts, ...cells] })"""


@pytest.fixture
def file(database_url: str, tmp_path: Path) -> Path:
    """The page of twelve days without attempts, two of them not stored."""
    postgres = Postgres()
    days = [LAST - dt.timedelta(days=back) for back in range(12) if back not in {3, 7}]
    main = [report for report in reports() if report.name == "daily_metrics"]
    for day in reversed(days):
        store_reports(postgres, main, school_day(day.isoformat()))
    out = tmp_path / "page.html"
    assert write_report(postgres, days[-1], LAST, out) == len(days)
    return out


def test_the_page_shows_the_whole_period_on_a_phone_and_on_paper(file: Path, page: Page) -> None:
    page.goto(file.as_uri())
    shown = page.inner_text("#daily_metrics")
    assert [f"{day:02}.05" in shown for day in range(20, 32)] == [
        day not in {24, 28} for day in range(20, 32)
    ]
    assert page.locator("#trends figure").count() > 3
    before = page.viewport_size
    assert before
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    smallest = (
        "Math.min(...[...document.querySelectorAll('td')]"
        ".map(cell => parseFloat(getComputedStyle(cell).fontSize)))"
    )
    assert page.evaluate(smallest) >= 12
    page.set_viewport_size(before)
    assert broken_on_paper(page) == []


def broken_on_paper(page: Page) -> list[list[object]]:
    """The parts that do not fit on A4, across if their section is broad, and too narrow cells."""
    before = page.viewport_size
    assert before
    paper = round(186 * MILLIMETRE)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": paper, "height": 1000})
    found: list[list[object]] = page.evaluate(BROKEN, [paper, NARROWEST])
    page.emulate_media(media="screen")
    page.set_viewport_size(before)
    return found

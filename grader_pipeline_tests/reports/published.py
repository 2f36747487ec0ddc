"""Everything that leaves the database about one day, read back: sheet, page, metadata, pictures.

A line is the report's name and its cells by column, as numbers where they are numbers.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl

from grader_pipeline.assets.materializations import (
    metrics_metadata,
    report_metadata,
    sheet_metadata,
)
from grader_pipeline.assets.step5_sheet_report import write_sheet
from grader_pipeline.page.page import write_report
from grader_pipeline.partitions import window
from grader_pipeline.reports import pictures, russian
from grader_pipeline.reports.definition import Report
from grader_pipeline.reports.header_values import MAIN
from grader_pipeline.reports.privacy import may_be_shown, read_shown
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline_tests.reports.conftest import REPORTS, School

Line = tuple[str, dict[str, Any]]


def published(school: School, day: dt.date, folder: Path) -> dict[str, list[Line]]:
    """The lines of the day by the medium that shows them, each medium read as its readers do."""
    with school.postgres.transaction() as db:
        write_sheet(db, Sheets())
        metadata = {
            report.name: report_metadata(db, report, window(day)) for report in REPORTS.values()
        }
        metadata["sheet"] = sheet_metadata(db, window(day), "/sheet")
        metadata["metrics"] = metrics_metadata(db, REPORTS.values(), window(day))
        drawn = {
            report.name: read_shown(db, report, until=day, days=report.picture.days)
            for report in REPORTS.values()
            if report.picture and may_be_shown(report)
        }
    write_report(school.postgres, day, day, folder / "page.html")
    return {
        "sheet": list(_of_workbook(Settings().workbook, day)),
        "page": list(_of_page((folder / "page.html").read_text())),
        "metadata": list(_of_metadata(metadata)),
        "pictures": [
            line for name, rows in drawn.items() for line in _of_picture(REPORTS[name], rows, day)
        ],
    }


def _of_workbook(path: Path, day: dt.date) -> Iterator[Line]:
    book = openpyxl.load_workbook(path)
    for report in REPORTS.values():
        title = Settings().google_sheets_worksheet if report.sheet == MAIN else report.title
        if title not in book.sheetnames:
            continue
        header, *lines = book[title].iter_rows(values_only=True)
        for line in lines:
            if line[0] and line[0].date() == day:
                yield _line(report, header[1:], line[1:])


class _Page(HTMLParser):
    """The cells of each table, by the section it is in."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.section = ""
        self.in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.section = dict(attrs).get("id") or ""
        elif tag == "tr":
            self.tables.setdefault(self.section, []).append([])
        elif tag in {"td", "th"}:
            self.tables[self.section][-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.tables[self.section][-1][-1] += data


def _of_page(html: str) -> Iterator[Line]:
    (page := _Page()).feed(html)
    for name, (header, *lines) in page.tables.items():
        for line in lines:
            yield _line(REPORTS[name], header, line)


def _of_metadata(metadata: dict[str, dict[str, Any]]) -> Iterator[Line]:
    for name, found in metadata.items():
        report = REPORTS.get(name)
        plotted = {metric: value for metric, value in found.items() if isinstance(value, float)}
        for metric, value in plotted.items():
            yield name if report else "daily_metrics", {"metric": metric, "value": value}


def _of_picture(report: Report, rows: Sequence[dict[str, Any]], day: dt.date) -> Iterator[Line]:
    picture = report.picture
    assert picture
    columns = {column.text: name for name, column in report.columns.items()}
    for series, place, value in pictures._points(report, picture, rows):
        by_day = {picture.x: place}.get("report_date", day)
        if by_day != day or (picture.by == "report_date" and series != russian.short_date(day)):
            continue
        cells = {picture.x: _cell(place)}
        if picture.by is None:
            cells[columns[series]] = _cell(value)
        else:
            cells |= {picture.by: series, picture.y[0]: _cell(value)}
        yield report.name, {name: cell for name, cell in cells.items() if name != "report_date"}


def _line(report: Report, header: Sequence[Any], cells: Sequence[Any]) -> Line:
    columns = {column.text: name for name, column in report.columns.items()}
    pairs = zip(header, cells, strict=False)
    return report.name, {columns[text]: _cell(cell) for text, cell in pairs if text in columns}


def _cell(cell: object) -> Any:
    """A number as such, however it is written, an hour too; a dash or nothing is None."""
    if cell in {None, russian.NO_VALUE, ""}:
        return None
    if isinstance(cell, str):
        if hour := re.fullmatch(r"(\d\d):00–\d\d:00", cell):
            return float(hour[1])
        signs = {0xA0: None, ord(","): ".", ord("\N{MINUS SIGN}"): "-", ord("%"): None}
        plain = cell.translate(signs)
        try:
            return float(plain)
        except ValueError:
            return cell
    return float(cell) if isinstance(cell, int | float) else cell

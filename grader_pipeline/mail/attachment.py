"""What MAIL_ATTACH attaches to the mail of a day: the day's reports as a workbook.

It has the worksheets of the sheet, with the lines of the day alone, and that of the chart with
thirty days. The first tab has the day beside the day and the week before, as the sheet has it. It
shows what the sheet may show. Source: daily_metrics and the reports' tables.
"""

import datetime as dt
import tempfile
from pathlib import Path
from typing import NamedTuple

from grader_pipeline.reports.day_metrics import HISTORY_DAYS
from grader_pipeline.reports.definition import Report, Row
from grader_pipeline.reports.names import read_named
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.tables import stored_days
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.table import chart_table, daily_report
from grader_pipeline.sheet.today import today
from grader_pipeline.sheet.worksheets import has_worksheet, in_order_of_use, worksheet
from grader_pipeline.statements import statement

_WEEK = 8
"""A day, and those until the same weekday of the week before."""


class Attachment(NamedTuple):
    """A file of a mail: its name, and its content."""

    name: str
    content: bytes


def workbook_of(db: Connection, day: dt.date) -> Attachment:
    """The day's workbook. Raises PermanentFailure if TMPDIR has no room, and as Postgres does."""
    # Imported where it is used: see sheet/resource.py.
    from grader_pipeline.sheet import workbook  # noqa: PLC0415

    recent = {"day": day, "before": HISTORY_DAYS - 1}
    rows = db.execute(statement("reading/recent_metrics"), recent).fetchall()
    daily = daily_report([row for row in rows if row["report_date"] == day])[0]
    chart = chart_table(rows)
    of_day, of_week = [], []
    for report in filter(has_worksheet, reports()):
        lines = _lines(db, report, day)
        of_week.append((report.tab, worksheet(report, lines, stored_days(db, report))))
        lines = [line for line in lines if line["report_date"] == day]
        of_day.append((report.tab, worksheet(report, lines, [day])))
    week = in_order_of_use(of_week)
    glance = today(rows, [chart, *week] if chart else week)
    shown = (glance, daily, chart, *in_order_of_use(of_day))
    tables = [table for table in shown if table]
    first = Settings().google_sheets_worksheet
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"grades-{day}.xlsx"
        workbook.show(file, [(table.worksheet or first, table) for table in tables])
        return Attachment(file.name, file.read_bytes())


def _lines(db: Connection, report: Report, day: dt.date) -> list[Row]:
    """What the sheet shows of the day and, as far as it keeps them, of the week before."""
    kept = report.sheet if isinstance(report.sheet, int) else _WEEK
    return read_named(db, report, until=day, days=min(kept, _WEEK))

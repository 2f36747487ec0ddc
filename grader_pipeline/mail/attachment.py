"""What MAIL_ATTACH attaches to the mail of a day: the day's reports as a workbook.

It has the worksheets of the sheet, with the lines of the day alone, and that of the chart
with thirty days. It shows what the sheet may show. Source: daily_metrics and the reports' tables.
"""

import datetime as dt
import tempfile
from pathlib import Path
from typing import NamedTuple

from grader_pipeline.reports.day_metrics import HISTORY_DAYS
from grader_pipeline.reports.names import read_named
from grader_pipeline.reports.report_files import reports
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.settings import Settings
from grader_pipeline.sheet import workbook
from grader_pipeline.sheet.table import Table, chart_table, daily_report
from grader_pipeline.sheet.worksheets import has_worksheet, worksheet
from grader_pipeline.statements import statement


class Attachment(NamedTuple):
    """A file of a mail: its name, and its content."""

    name: str
    content: bytes


def workbook_of(db: Connection, day: dt.date) -> Attachment:
    """The day's workbook. Raises PermanentFailure if TMPDIR has no room, and as Postgres does."""
    recent = {"day": day, "before": HISTORY_DAYS - 1}
    rows = db.execute(statement("reading/recent_metrics"), recent).fetchall()
    daily = daily_report([row for row in rows if row["report_date"] == day])[0]
    tables: list[Table] = [daily]
    if chart := chart_table(rows):
        tables.append(chart)
    for report in filter(has_worksheet, reports()):
        tables.append(worksheet(report, read_named(db, report, until=day, days=1), [day]))
    first = Settings().google_sheets_worksheet
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"grades-{day}.xlsx"
        workbook.show(file, [(table.worksheet or first, table) for table in tables])
        return Attachment(file.name, file.read_bytes())

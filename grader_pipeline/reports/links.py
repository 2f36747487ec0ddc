"""Links from Dagster's UI to what its web server shows of a day: a report's lines, and its picture.

A run stores the links only. ``grader_pipeline.ui`` reads the tables when somebody opens one. Other
web servers, such as that of ``dagster dev``, do not have these pages.
"""

import datetime as dt

import dagster as dg

from grader_pipeline.reports.definition import Report
from grader_pipeline.reports.privacy import may_be_shown


def lines_link(name: str, date: dt.date) -> dg.MetadataValue:
    """The lines of a report on the page of the day."""
    address = f"/days/{date.isoformat()}#{name}"
    return dg.MetadataValue.md(f"[All lines]({address})")


def picture_link(report: Report, date: dt.date) -> dg.MetadataValue | None:
    """The picture of a report, which Dagster's UI shows in place. None if it has none."""
    if not report.picture or not may_be_shown(report):
        return None
    address = f"/pictures/{report.name}/{date.isoformat()}.png"
    text = "Nothing to draw, or not the UI of grader-pipeline dev"
    return dg.MetadataValue.md(f"![{text}]({address})")

"""The days that wait to be computed again: sql/report_tables/waiting_days.sql says which."""

import datetime as dt

from grader_pipeline.asset_names import GRADER_TABLE, METRICS, SHEET_REPORT
from grader_pipeline.partitions import today
from grader_pipeline.reports.report_files import reports
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement


def waiting_days(
    db: Connection, *, only_outdated: bool = False, records: bool = True
) -> list[dt.date]:
    """The days, oldest first, whose reports or records are older than what grader holds.

    ``only_outdated`` leaves out days without reports or with records to write: another run may be
    at it. Without ``records``, days of which only Dagster's records are old are left out.
    """
    found = reports()
    rows = db.execute(
        statement("report_tables/waiting_days"),
        {
            "reports": [report.name for report in found],
            "histories": [report.history for report in found],
            "assets": [GRADER_TABLE, METRICS, SHEET_REPORT, *(report.name for report in found)],
            "start_date": Settings().grader_start_date,
            "today": today(),
            "only_outdated": only_outdated,
            "records": records and not only_outdated,
        },
    ).fetchall()
    return [row["report_date"] for row in rows]

"""Weeks of the sample's school, put straight into the database, with their reports."""

import ast
import datetime as dt
import json

from grader_pipeline.partitions import window
from grader_pipeline.sample_api.days import Days
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.twin import Attempt


def load_weeks(school: School, last: dt.date, *, days: int, rows: int) -> None:
    """Store ``days`` days that end with ``last``, and compute their metrics and courses.

    The other reports are those of the last day and of a week before, and of the last Sunday.
    """
    sample = Days(rows, 0.0)
    dates = [last - dt.timedelta(days=back) for back in range(days - 1, -1, -1)]
    for date in dates:
        day = window(date)
        # The sample's window has its end.
        answer = b"".join(sample.window(day.start, day.end - dt.timedelta(microseconds=1)))
        school.load(date, [_attempt(element) for element in json.loads(answer)])
    sunday = last - dt.timedelta(days=last.isoweekday() % 7)
    whole = {last, last - dt.timedelta(days=7), sunday}
    for date in dates:
        school.compute(date, *(() if date in whole else ("daily_metrics", "courses")))


def _attempt(element: dict) -> Attempt:
    passback = ast.literal_eval(element["passback_params"])
    verdict = element["is_correct"]
    return Attempt(
        element["lti_user_id"],
        dt.datetime.fromisoformat(element["created_at"]),
        None if verdict is None else bool(verdict),
        url=passback.get("lis_outcome_service_url"),
        text=passback["lis_result_sourcedid"],
        kind=element["attempt_type"],
    )

"""Who opens the UI sees a day, or where one is loaded."""

import httpx

from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import DAY, OK, at


def test_the_ui_opens_at_the_newest_day_or_where_one_is_loaded(
    school: School, ui: httpx.Client
) -> None:
    answer = ui.get("/")
    assert answer.status_code == 307
    assert answer.headers["location"].endswith("/asset-groups/grader/lineage")
    school.load(DAY, [at("09:00", "someone", OK)])
    school.compute(DAY)
    place = ui.get("/").headers["location"]
    assert place == f"/assets/daily_metrics?view=partitions&partition={DAY}"
    # Dagster's own application answers there, as everywhere else.
    assert "text/html" in ui.get(place).headers["content-type"]

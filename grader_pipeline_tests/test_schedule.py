"""The schedule asks for the day that has just ended, by the clock of the school."""

import datetime as dt
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from grader_pipeline.schedule import morning

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize(
    "tick",
    [
        dt.datetime(2023, 6, 1, 4, tzinfo=MOSCOW),
        # Still yesterday in UTC.
        dt.datetime(2023, 6, 1, 0, 30, tzinfo=MOSCOW),
        dt.datetime(2023, 5, 31, 21, 30, tzinfo=dt.UTC),
    ],
)
def test_a_tick_asks_once_for_the_day_before_it(tick: dt.datetime) -> None:
    request = morning(dg.build_schedule_context(scheduled_execution_time=tick))
    assert isinstance(request, dg.RunRequest)
    assert (request.run_key, request.partition_key) == ("2023-05-31", "2023-05-31")

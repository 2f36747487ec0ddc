"""The schedule asks for the day that has just ended, by the clock of the school."""

import datetime as dt
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from grader_pipeline.mornings import newest_morning
from grader_pipeline.schedule import morning
from grader_pipeline.settings import Settings

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


@pytest.mark.parametrize(
    ("time", "now", "day"),
    [
        ("04:00", "2023-06-01 03:59", "2023-05-30"),
        ("04:00", "2023-06-01 04:00", "2023-05-31"),
        ("04:00", "2023-06-01 23:59", "2023-05-31"),
        ("23:30", "2023-06-01 23:29", "2023-05-30"),
        ("23:30", "2023-06-02 00:10", "2023-05-31"),
        ("00:00", "2023-06-01 00:00", "2023-05-31"),
    ],
)
def test_the_newest_morning_asks_for_the_day_before_the_newest_tick(
    time: str, now: str, day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_SCHEDULE_TIME", time)
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=MOSCOW)
    for zone in (MOSCOW, dt.UTC, ZoneInfo("America/New_York")):
        found = newest_morning(Settings(), moment.astimezone(zone))
        assert found == dt.date.fromisoformat(day)

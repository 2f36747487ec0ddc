"""A day of the school is a window of UTC, and nothing else passes for a day."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import day_of, days_partitions, school_day


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.fixture
def _zone(request, monkeypatch):
    """A school in the zone of the test's parameter, old enough for every day asked for."""
    monkeypatch.setenv("GRADER_TIMEZONE", request.param)
    monkeypatch.setenv("GRADER_START_DATE", "2018-01-01")


def test_the_window_of_a_day_in_moscow_starts_the_evening_before_in_utc():
    """The worked example; the seed of this project got the time zone the wrong way round."""
    day = school_day("2023-05-31")
    assert day.api_window() == {
        "start": "2023-05-30 21:00:00.000000",
        "end": "2023-05-31 20:59:59.999999",
    }
    assert (day.start, day.end) == (utc("2023-05-30 21:00:00"), utc("2023-05-31 21:00:00"))
    assert day.parameters == {
        "day": dt.date(2023, 5, 31),
        "day_start": dt.datetime(2023, 5, 30, 21),
        "day_end": dt.datetime(2023, 5, 31, 21),
    }
    assert day.key == "2023-05-31"


@pytest.mark.parametrize(
    ("_zone", "key", "start", "end"),
    [
        ("UTC", "2023-05-31", "2023-05-31 00:00:00", "2023-06-01 00:00:00"),
        ("Asia/Kolkata", "2023-05-31", "2023-05-30 18:30:00", "2023-05-31 18:30:00"),
        ("America/New_York", "2023-05-31", "2023-05-31 04:00:00", "2023-06-01 04:00:00"),
        # 23 hours, 25 hours.
        ("Europe/Berlin", "2023-03-26", "2023-03-25 23:00:00", "2023-03-26 22:00:00"),
        ("Europe/Berlin", "2023-10-29", "2023-10-28 22:00:00", "2023-10-29 23:00:00"),
        ("America/New_York", "2024-03-10", "2024-03-10 05:00:00", "2024-03-11 04:00:00"),
        ("America/New_York", "2024-11-03", "2024-11-03 04:00:00", "2024-11-04 05:00:00"),
        # Days without a midnight begin an hour later by the clock, and not a moment by time.
        ("America/Sao_Paulo", "2018-11-03", "2018-11-03 03:00:00", "2018-11-04 03:00:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00:00", "2018-11-05 02:00:00"),
        ("Africa/Cairo", "2023-04-28", "2023-04-27 22:00:00", "2023-04-28 21:00:00"),
        # The clock strikes eleven twice before this midnight.
        ("Africa/Cairo", "2023-10-26", "2023-10-25 21:00:00", "2023-10-26 22:00:00"),
        # Midnight comes twice: the day begins with the first.
        ("America/Havana", "2023-11-05", "2023-11-05 04:00:00", "2023-11-06 05:00:00"),
    ],
    indirect=["_zone"],
)
@pytest.mark.usefixtures("_zone")
def test_a_day_lasts_from_its_first_to_its_last_moment(key, start, end):
    day = school_day(key)
    assert (day.start, day.end) == (utc(start), utc(end))
    last = (utc(end) - dt.timedelta(microseconds=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    assert day.api_window() == {"start": f"{start}.000000", "end": last}


CLOCK_CHANGES = {
    "Europe/Moscow": ("2023-03-26", "2023-10-29", {24}),
    "Europe/Berlin": ("2023-03-26", "2023-10-29", {23, 24, 25}),
    "America/New_York": ("2023-03-12", "2023-11-05", {23, 24, 25}),
    "America/Sao_Paulo": ("2018-11-04", "2019-02-16", {23, 24, 25}),
    "Africa/Cairo": ("2023-04-28", "2023-10-26", {23, 24, 25}),
    "Australia/Lord_Howe": ("2023-04-02", "2023-10-01", {23.5, 24, 24.5}),
}


@pytest.mark.parametrize(
    ("_zone", "changes", "hours"),
    [(zone, changes, hours) for zone, (*changes, hours) in CLOCK_CHANGES.items()],
    indirect=["_zone"],
)
@pytest.mark.usefixtures("_zone")
def test_consecutive_days_leave_no_gap_and_do_not_overlap_and_dagster_shows_the_same(
    changes, hours
):
    shown = days_partitions()
    seen = set()
    for change in changes:
        dates = [dt.date.fromisoformat(change) + dt.timedelta(days=n) for n in range(-4, 5)]
        days = [school_day(date.isoformat()) for date in dates]
        assert all(day.end == following.start for day, following in itertools.pairwise(days))
        seen |= {(day.end - day.start) / dt.timedelta(hours=1) for day in days}
        for day in days:
            window = shown.time_window_for_partition_key(day.key)
            assert window.start.timestamp() == day.start.timestamp()
            assert window.end.timestamp() == day.end.timestamp()
    assert seen == hours


def test_the_partitions_go_from_the_start_date_to_yesterday():
    now = utc("2023-05-31 20:59:59")
    keys = days_partitions().get_partition_keys(current_time=now)
    assert (keys[0], keys[-1]) == ("2023-04-01", "2023-05-30")
    keys = days_partitions().get_partition_keys(current_time=now + dt.timedelta(seconds=1))
    assert keys[-1] == "2023-05-31"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("2023-5-31", "YYYY-MM-DD"),
        ("20230531", "YYYY-MM-DD"),
        ("2023-W22-3", "YYYY-MM-DD"),
        ("2023-05-31T00:00", "YYYY-MM-DD"),
        ("2023-05-31\n", "YYYY-MM-DD"),
        (" 2023-05-31", "YYYY-MM-DD"),
        ("../../x", "YYYY-MM-DD"),
        ("2023-05-31/../x", "YYYY-MM-DD"),
        ("2023-05-31'; --", "YYYY-MM-DD"),
        ("٢٠٢٣-٠٥-٣١", "YYYY-MM-DD"),
        ("２０２３-05-31", "YYYY-MM-DD"),
        ("", "YYYY-MM-DD"),
        ("yesterday", "YYYY-MM-DD"),
        ("2023-02-30", "not in the calendar"),
        ("2023-13-01", "not in the calendar"),
        ("0000-00-00", "not in the calendar"),
        ("2023-03-31", "GRADER_START_DATE"),
        ("0001-01-01", "GRADER_START_DATE"),
        ("9999-12-31", "not ended"),
    ],
)
def test_what_is_no_loadable_day_is_refused_with_the_reason(key, why):
    with pytest.raises(PermanentFailure, match=why):
        school_day(key)


def test_the_first_day_is_the_start_date_itself():
    assert school_day("2023-04-01").date == dt.date(2023, 4, 1)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Moscow", "Pacific/Niue"])
def test_today_and_tomorrow_are_refused_and_yesterday_is_not(zone, monkeypatch):
    monkeypatch.setenv("GRADER_TIMEZONE", zone)
    today = dt.datetime.now(ZoneInfo(zone)).date()
    for ahead in (0, 1, 2):
        with pytest.raises(PermanentFailure, match="has not ended"):
            school_day((today + dt.timedelta(days=ahead)).isoformat())
    yesterday = today - dt.timedelta(days=1)
    assert school_day(yesterday.isoformat()).date == yesterday


def test_a_day_can_be_loaded_from_its_very_end():
    assert school_day("2023-05-31", now=utc("2023-05-31 21:00:00")).key == "2023-05-31"
    with pytest.raises(PermanentFailure, match="has not ended in Europe/Moscow"):
        school_day("2023-05-31", now=utc("2023-05-31 20:59:59.999999"))


def test_a_step_without_one_day_is_refused():
    with pytest.raises(PermanentFailure, match="no single day"):
        day_of(dg.build_asset_context())
    days = dg.PartitionKeyRange("2023-05-01", "2023-05-03")
    with pytest.raises(PermanentFailure, match="no single day"):
        day_of(dg.build_asset_context(partition_key_range=days))


def test_a_step_works_on_the_day_of_its_key():
    context = dg.build_asset_context(partition_key="2023-05-31")
    assert day_of(context) == school_day("2023-05-31")
    with pytest.raises(PermanentFailure, match="YYYY-MM-DD"):
        day_of(dg.build_asset_context(partition_key="../../x"))

"""Durations of the calendar, as people write them."""

import datetime as dt

import pytest

from grader_pipeline.durations import Duration, duration


@pytest.mark.parametrize(
    ("text", "expected", "shown"),
    [
        ("90 days", Duration(days=90), "90 days"),
        ("1 day", Duration(days=1), "1 day"),
        (" 12  Months ", Duration(months=12), "1 year"),
        ("18 months", Duration(months=18), "18 months"),
        ("3 years", Duration(months=36), "3 years"),
    ],
)
def test_a_duration_is_read_and_shown(text: str, expected: Duration, shown: str) -> None:
    assert duration(text) == expected
    assert str(duration(text)) == shown
    assert duration(shown) == expected


@pytest.mark.parametrize(
    "text",
    ["", "90", "days", "0 days", "-1 days", "1.5 years", "3 years 2 days", "99999 days"],
)
def test_another_text_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="write a duration as 90 days, 12 months or 3 years"):
        duration(text)


@pytest.mark.parametrize(
    ("span", "day", "before"),
    [
        ("3 years", "2024-02-29", "2021-02-28"),
        ("1 month", "2023-03-31", "2023-02-28"),
        ("12 months", "2023-01-01", "2022-01-01"),
        ("90 days", "2023-03-31", "2022-12-31"),
        ("9999 years", "2023-03-31", "0001-01-31"),
        ("9999 days", "0002-01-01", "0001-01-01"),
    ],
)
def test_the_day_before_is_one_of_the_calendar(span: str, day: str, before: str) -> None:
    assert duration(span).before(dt.date.fromisoformat(day)) == dt.date.fromisoformat(before)

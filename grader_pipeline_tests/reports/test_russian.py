"""Texts for Russian readers: every word that they need has its Russian."""

import datetime as dt
import re
from decimal import Decimal

import pytest

from grader_pipeline.attempts.schema import Reason
from grader_pipeline.reports import russian


def test_the_reasons_in_russian_are_those_that_an_element_can_be_refused_for() -> None:
    assert russian._REASONS.keys() == {*Reason}
    assert all(re.search("[а-я]", russian.reason(word)) for word in Reason)


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (Decimal("2.5"), 0, "3"), (Decimal("-2.5"), 0, "−3"), (Decimal("-0.004"), 2, "0"),
        (Decimal("0.045"), 2, "0,05"), (Decimal("-1234.50"), 2, "−1\N{NO-BREAK SPACE}234,5"),
    ],
)  # fmt: skip
def test_halves_are_rounded_away_from_zero_and_zero_has_no_sign(
    value: Decimal, digits: int, written: str
) -> None:
    assert russian.number(value, digits) == written


def test_days_are_written_shortly_and_neighbours_as_ranges() -> None:
    day = dt.date(2023, 5, 31)
    assert russian.short_date(day) == "ср\N{NO-BREAK SPACE}31.05"
    days = [day, day + dt.timedelta(days=1), day + dt.timedelta(days=3)]
    assert russian.dates(days) == "31.05.2023–01.06.2023, 03.06.2023"

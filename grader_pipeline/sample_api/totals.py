"""How many attempts a UTC day has in all: the numbers that `draw` draws the day to."""

import datetime as dt
from dataclasses import dataclass

from grader_pipeline.sample_api.school import dice

DEFAULT_ROWS = 6000

WEEKDAYS = (1.05, 1.08, 1.04, 1.0, 0.83, 0.46, 0.54)  # Monday first, around one


@dataclass(frozen=True)
class Totals:
    """The counts of a day's clean attempts."""

    runs: int
    submits: int
    solved: int
    """Submits that are correct."""
    users: int
    """Learners with at least one attempt."""
    odd: int = 0
    """Runs that carry a verdict, and as many submits that lack one."""


# Days of the real grader whose totals are public. Where one says nothing of runs and users, they
# are in the usual proportion.
PUBLISHED = {
    dt.date(2023, 5, 31): Totals(runs=3945, submits=2513, solved=879, users=292),
    dt.date(2026, 6, 20): Totals(runs=410, submits=112 + 149, solved=112, users=31),
}


def totals_of(day: dt.date, rows: int) -> Totals:
    """Give a day's totals in a school that makes about `rows` attempts on a weekday.

    The published days are those of a school of the real size, which is `DEFAULT_ROWS`.
    """
    if rows == DEFAULT_ROWS and day in PUBLISHED:
        return PUBLISHED[day]
    chance = dice("totals", day.toordinal())
    attempts = round(rows * WEEKDAYS[day.weekday()] * chance.uniform(0.92, 1.08))
    submits = round(attempts * chance.uniform(0.37, 0.41))
    return Totals(
        runs=attempts - submits,
        submits=submits,
        solved=round(submits * chance.uniform(0.33, 0.38)),
        users=min(attempts, max(1, round(attempts * chance.uniform(0.043, 0.048)))),
        odd=round(submits / 1000),
    )

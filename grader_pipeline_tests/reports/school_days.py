"""A school that fits on a page, for answers worked out by hand.

The day is Wednesday 2023-05-31 in Moscow, which is 2023-05-30 21:00 to 2023-05-31 21:00 UTC.
Times below are Moscow's.
"""

import datetime as dt
from typing import Any

from grader_pipeline_tests.grader import learner
from grader_pipeline_tests.reports.twin import MOSCOW, Attempt

DAY = dt.date(2023, 5, 31)
COURSE, OTHER = "course-v1:S+A+1", "course-v1:S+B+1"
X, Y = "a" * 32, "b" * 32
RUN, OK, WRONG = None, True, False


def at(
    clock: str,
    name: str,
    verdict: bool | None,
    task: str = X,
    course: str = COURSE,
    *,
    back: int = 0,
    url: str | None = "https://lms.example.org/grade",
) -> Attempt:
    """An attempt of the named learner at that Moscow time of the day, or so many days earlier."""
    moment = dt.datetime.combine(DAY - dt.timedelta(days=back), dt.time.fromisoformat(clock))
    return Attempt(learner(name), moment - MOSCOW, verdict, task, course, url)


WEEK_AGO = [  # 2 submits, 1 success, 1 user
    at("10:00", "ann", WRONG, back=7),
    at("10:10", "ann", OK, back=7),
]
YESTERDAY = [  # 4 submits, 2 successes, 3 users
    at("09:00", "bob", RUN, back=1),
    at("09:05", "bob", WRONG, back=1),
    at("12:00", "ann", OK, Y, back=1),
    at("12:30", "cat", OK, Y, back=1),
    at("23:50", "cat", WRONG, X, back=1),
]
TODAY = [
    at("00:00", "cat", OK, X),            # ten minutes after yesterday's wrong one: solved with 2
    at("09:00", "bob", RUN, X),
    at("09:20", "bob", WRONG, X),         # 20 minutes of work
    at("10:00", "bob", OK, X),            # a pause of 40 minutes: not work
    at("10:00", "dan", RUN, X),
    at("10:06", "dan", RUN, X),
    at("10:30", "dan", OK, X),            # first submit, 2 runs before it, 30 minutes
    at("10:45", "eve", WRONG, X),         # never solved
    at("11:00", "ann", OK, X),            # solved a week ago already
    at("15:30", "fay", RUN, Y, OTHER, url=None),
]  # fmt: skip


def only(rows: list[dict[str, Any]], **wanted: object) -> dict[str, Any]:
    found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    assert len(found) == 1
    return {name: value for name, value in found[0].items() if name not in {*wanted, "report_date"}}

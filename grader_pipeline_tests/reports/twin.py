"""The reports once more, in plain Python that walks through the attempts one by one.

It shares nothing with the SQL but the definitions: the two agree only if both are right.
Days are Moscow's, three hours ahead of UTC.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import median
from typing import Any, Literal

MOSCOW = dt.timedelta(hours=3)
DAY = dt.timedelta(days=1)

UNREAD = "не распознан"
"""The line of the attempts whose course cannot be read."""

Rows = dict[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Attempt:
    """``at`` is UTC. Unless ``kind`` is given, it is a run, or with a verdict a submit."""

    user: str
    at: dt.datetime
    verdict: bool | None = None
    task: str | None = "a" * 32
    course: str | None = "course-v1:S+A+1"
    url: str | None = "https://lms.example.org/grade"
    text: str | None = None
    """Its lis_result_sourcedid. Unset: as Open edX writes it, without percent-encoding."""
    kind: Literal["run", "submit"] | None = None

    @property
    def day(self) -> dt.date:
        return (self.at + MOSCOW).date()

    @property
    def sourcedid(self) -> str:
        return self.text or f"{self.course}:lms.example.org-{self.task}:{self.user}"

    @property
    def type(self) -> str:
        return self.kind or ("run" if self.verdict is None else "submit")

    @property
    def is_submit(self) -> bool:
        return self.type == "submit"

    @property
    def is_success(self) -> bool:
        return self.is_submit and self.verdict is True


def rounded(value: Any, digits: int = 1) -> Decimal | None:
    """As SQL's round does it; nothing stays nothing."""
    if value is None:
        return None
    exact = Fraction(value)
    quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
    return quotient.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def share(part: int, whole: int) -> Decimal | None:
    return rounded(Fraction(100 * part, whole)) if whole else None


def share_of(answers: Iterable[bool]) -> Fraction | None:
    found = list(answers)
    return Fraction(100 * sum(found), len(found)) if found else None


def change(value: Any, before: Any) -> Decimal | None:
    return rounded(Fraction(100) * (Fraction(value) - before) / before) if before else None


def mean(values: Sequence[Any]) -> Fraction | None:
    return Fraction(sum(values), len(values)) if values else None


def grouped(attempts: Iterable[Attempt], *names: str) -> dict[Any, list[Attempt]]:
    found: dict[Any, list[Attempt]] = defaultdict(list)
    for attempt in sorted(attempts, key=lambda a: a.at):
        key = tuple(getattr(attempt, name) for name in names)
        found[key[0] if len(key) == 1 else key].append(attempt)
    return found


def within(attempts: Iterable[Attempt], first: dt.date, last: dt.date) -> list[Attempt]:
    return [a for a in attempts if first <= a.day <= last]


def named(attempts: Iterable[Attempt]) -> list[Attempt]:
    return [a for a in attempts if a.course is not None]


def users(attempts: Iterable[Attempt]) -> int:
    return len({a.user for a in attempts})


def runs(attempts: Iterable[Attempt]) -> int:
    return sum(not a.is_submit for a in attempts)


def submits(attempts: Iterable[Attempt]) -> int:
    return sum(a.is_submit for a in attempts)


def successes(attempts: Iterable[Attempt]) -> int:
    return sum(a.is_success for a in attempts)


def wrong_submits(attempts: Iterable[Attempt]) -> int:
    """Those without verdict among them."""
    return sum(a.is_submit and not a.is_success for a in attempts)


def missing(loaded: set[dt.date], day: dt.date, days: int) -> str | None:
    """Why nothing can be said about so many days, if some of them are not stored."""
    absent = sum(day - back * DAY not in loaded for back in range(days))
    return f"нет данных за {absent} из {days} дней" if absent else None


def busiest_hours(today: Iterable[Attempt]) -> list[int]:
    hours = [(a.at + MOSCOW).hour for a in today]
    return sorted({hour for hour in hours if hours.count(hour) == max(map(hours.count, hours))})


def daily_metrics(attempts: list[Attempt], loaded: set[dt.date], day: dt.date) -> dict[str, Any]:
    today = within(attempts, day, day)
    each = grouped(today, "user").values()
    by_submits = [submits(mine) for mine in each if submits(mine)]
    by_runs = [runs(mine) for mine in each if runs(mine)]
    earlier = {a.user for a in attempts if a.day < day}
    clock = sorted(a.at + MOSCOW for a in today)
    most = busiest_hours(today)

    def middle(values: list[int]) -> Decimal | None:
        return rounded(median(values)) if values else None

    def against(count: Callable[[list[Attempt]], int], back: int) -> Decimal | None:
        other = day - back * DAY
        return (
            change(count(today), count(within(attempts, other, other))) if other in loaded else None
        )

    return {
        "submits": submits(today),
        "successful_submits": successes(today),
        "unique_users": users(today),
        "attempts": len(today),
        "runs": runs(today),
        "wrong_submits": wrong_submits(today),
        "success_share": share(successes(today), submits(today)),
        "submitting_users": len(by_submits),
        "new_users": len({a.user for a in today} - earlier),
        "active_users_7":
            None if missing(loaded, day, 7) else users(within(attempts, day - 6 * DAY, day)),
        "active_users_28":
            None if missing(loaded, day, 28) else users(within(attempts, day - 27 * DAY, day)),
        "attempts_per_user": rounded(mean([len(mine) for mine in each])),
        "median_attempts_per_user": middle([len(mine) for mine in each]),
        "submits_per_user": rounded(mean(by_submits)),
        "median_submits_per_user": middle(by_submits),
        "runs_per_user": rounded(mean(by_runs)),
        "median_runs_per_user": middle(by_runs),
        "busiest_hour": most[0] if len(most) == 1 else None,
        "first_attempt": 60 * clock[0].hour + clock[0].minute if clock else None,
        "last_attempt": 60 * clock[-1].hour + clock[-1].minute if clock else None,
        "submits_to_day_before": against(submits, 1),
        "submits_to_week_before": against(submits, 7),
        "successes_to_day_before": against(successes, 1),
        "successes_to_week_before": against(successes, 7),
        "users_to_day_before": against(users, 1),
        "users_to_week_before": against(users, 7),
    }  # fmt: skip


def texts(attempts: list[Attempt], loaded: set[dt.date], day: dt.date) -> dict[str, Any]:
    """What readers see of the day in place of a value."""
    most = busiest_hours(within(attempts, day, day))
    named = ", ".join(f"{hour:02}:00–{(hour + 1) % 24:02}:00" for hour in most)
    found = {
        "active_users_7": missing(loaded, day, 7),
        "active_users_28": missing(loaded, day, 28),
        "busiest_hour": named if len(most) <= 4 else f"поровну, часов: {len(most)}",
    }
    return {name: text for name, text in found.items() if text}


def data_health(attempts: list[Attempt], loaded: set[dt.date], day: dt.date) -> dict[str, Any]:
    """The lines that need no ledger."""
    today = within(attempts, day, day)
    known = grouped(named(today), "course").values()
    unread = share_of(a.course is None for a in today)
    return {
        "without_url_share": rounded(share_of(a.url is None for a in today), 2),
        "unread": None if unread is None else "5 % и больше" if unread >= 5 else "меньше 5 %",
        "without_verdict": sum(a.is_submit and a.verdict is None for a in today),
        "courses_without_url": sum(all(a.url is None for a in mine) for mine in known),
        "first_stored_day": f"{min(other for other in loaded if other <= day):%d.%m.%Y}",
    }


def hours(attempts: list[Attempt], day: dt.date) -> Rows:
    found: Rows = {}
    for hour in range(24):
        of_hour = [a for a in within(attempts, day, day) if (a.at + MOSCOW).hour == hour]
        found[(hour,)] = {
            "learners": users(of_hour),
            "attempts": len(of_hour),
            "submits": submits(of_hour),
            "successes": successes(of_hour),
            "submitting_learners": users(a for a in of_hour if a.is_submit),
            "success_share": share(successes(of_hour), submits(of_hour)),
        }
    return found


def courses(attempts: list[Attempt], loaded: set[dt.date], day: dt.date) -> Rows:
    found: Rows = {}
    days = len([other for other in loaded if day - 7 * DAY <= other < day])
    for course, all_of_it in grouped(attempts, "course").items():
        today, before = within(all_of_it, day, day), within(all_of_it, day - 7 * DAY, day - DAY)
        if not today + before:
            continue
        firsts = {
            key: next(a for a in mine if a.is_submit)
            for key, mine in grouped(named(all_of_it), "task", "user").items()
            if submits(mine)
        }
        tried = {pair: first for pair, first in firsts.items() if first.day == day}
        solved = [pair for pair, first in tried.items() if first.is_success]
        found[course or UNREAD,] = {
            "learners": users(today),
            "submitting_learners": users(a for a in today if a.is_submit),
            "tasks": len({a.task for a in named(today)}),
            "attempts": len(today),
            "runs": runs(today),
            "submits": submits(today),
            "successes": successes(today),
            "wrong_submits": wrong_submits(today),
            "success_share": share(successes(today), submits(today)),
            "first_try_learners": len({user for _, user in tried}),
            "first_try_share": share(len(solved), len(tried)),
            "learners_before": users(before) if days else None,
            "attempts_before": rounded(Fraction(len(before), days)) if days else None,
            "attempts_change": change(len(today), Fraction(len(before), days or 1)),
            "success_share_before": share(successes(before), submits(before)),
            "first_tries": len(tried),
            "without_url_share": rounded(share_of(a.url is None for a in today)),
        }
    return found

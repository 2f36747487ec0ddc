"""The twin's other half: learners' ways through tasks, and the states they are in."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from statistics import median

from grader_pipeline_tests.reports.twin import (
    DAY,
    Attempt,
    Rows,
    grouped,
    mean,
    named,
    rounded,
    runs,
    share,
    submits,
    successes,
    within,
    wrong_submits,
)  # fmt: skip

BREAK = dt.timedelta(minutes=30)
PERIODS = (("день", 0), ("28 дней", 27), ("всё время", 100_000))


def tasks(attempts: list[Attempt], day: dt.date) -> Rows:
    found: Rows = {}
    known = named(within(attempts, dt.date.min, day))
    for course, task in {(a.course, a.task) for a in within(known, day, day)}:
        ways = grouped([a for a in known if (a.course, a.task) == (course, task)], "user")
        for period, back in PERIODS:
            first_day = dt.date.min if back > 365 else day - back * DAY
            parts = [(mine, within(mine, first_day, day)) for mine in ways.values()]
            parts = [(mine, part) for mine, part in parts if part]
            submitted = sum(submits(part) > 0 for _, part in parts)
            solved = sum(successes(part) > 0 for _, part in parts)
            first = [mine[: at + 1] for mine in ways.values()
                     if (at := _first(mine, lambda a: a.is_submit)) is not None
                     and mine[at].day >= first_day]  # fmt: skip
            until = [mine[: at + 1] for mine in ways.values()
                     if (at := _first(mine, lambda a: a.is_success)) is not None
                     and mine[at].day >= first_day]  # fmt: skip
            times = [worked for mine in until if (worked := _worked(mine)) is not None]
            minutes = [Fraction(time / dt.timedelta(microseconds=1)) / 60_000_000 for time in times]
            found[(course, task, period)] = {
                "place": [name for name, _ in PERIODS].index(period) + 1,
                "learners": len(parts),
                "submitted": submitted,
                "solved": solved,
                "never_solved": sum(successes(mine) == 0 for mine, _ in parts),
                "solved_share": share(solved, submitted),
                "difficulty_rank": Fraction(solved, submitted) if submitted else None,
                "first_submitters": len(first),
                "first_submit_share":
                    share(sum(way[-1].is_success for way in first), len(first)),
                "runs_before_submit": rounded(mean([runs(way) for way in first])),
                "first_solvers": len(until),
                "submits_until_solved": rounded(mean([submits(way) for way in until])),
                "median_submits_until_solved":
                    rounded(median([submits(way) for way in until])) if until else None,
                "minutes_until_solved": rounded(median(minutes)) if minutes else None,
            }  # fmt: skip
    for (course, _, period), row in found.items():
        if isinstance(row["difficulty_rank"], Fraction):
            row["rank"] = 1 + sum(
                isinstance(other["difficulty_rank"], Fraction)
                and other["difficulty_rank"] < row["difficulty_rank"]
                for key, other in found.items()
                if (key[0], key[2]) == (course, period)
            )
    for row in found.values():
        row["difficulty_rank"] = row.pop("rank", None)
    return found


def learner_states(attempts: list[Attempt], day: dt.date) -> Rows:
    """Everybody active in 28 days: (course, user) -> the states that apply."""
    known = named(within(attempts, dt.date.min, day))
    found: Rows = {}
    effort: dict[str, dict[str, float]] = defaultdict(dict)
    for (course, user), mine in grouped(known, "course", "user").items():
        recent = within(mine, day - 27 * DAY, day)
        week, before = within(mine, day - 6 * DAY, day), within(mine, day - 13 * DAY, day - 7 * DAY)
        if not recent:
            continue
        stuck = [
            task for task, part in grouped(recent, "task").items()
            if wrong_submits(part) >= 5
            and not successes(a for a in mine if a.task == task)
        ]  # fmt: skip
        solved = {a.task for a in week if a.is_success}
        if submits(week):
            effort[course][user] = submits(week) / len(solved) if solved else float("inf")
        found[course, user] = {
            "stuck_tasks": len(stuck),
            "submits_7": submits(week),
            "solved_7": len(solved),
            "is_stuck": bool(stuck),
            "is_disengaging": bool(before) and not week,
            "is_run_only": runs(recent) > 0 and submits(recent) == 0,
        }
    for (course, user), row in found.items():
        values = sorted(effort[course].values())
        mine_is = effort[course].get(user)
        # The 85th percentile: the first value with at least 85 % of all at or under it.
        high = next((v for n, v in enumerate(values, 1) if 100 * n >= 85 * len(values)), None)
        row["submits_per_solved"] = None if mine_is in {None, float("inf")} else mine_is
        row["is_struggling"] = mine_is is not None and mine_is >= high and mine_is > values[0]
    return found


def _first(mine: list[Attempt], wanted: Callable[[Attempt], bool]) -> int | None:
    return next((place for place, attempt in enumerate(mine) if wanted(attempt)), None)


def _worked(way: list[Attempt]) -> dt.timedelta | None:
    """From the first run to the last of these attempts, without pauses over half an hour."""
    start = _first(way, lambda a: not a.is_submit)
    if start is None:
        return None
    gaps = [later.at - earlier.at for earlier, later in pairwise(way[start:])]
    return sum((gap for gap in gaps if gap <= BREAK), dt.timedelta())

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
    missing,
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
PERIODS = (0, 27, 100_000)


def tasks(attempts: list[Attempt], loaded: set[dt.date], day: dt.date) -> Rows:
    found: Rows = {}
    shares: dict[tuple[str | None, int], dict[str | None, Fraction]] = defaultdict(dict)
    known = named(within(attempts, dt.date.min, day))
    today = {(a.course, a.task) for a in within(known, day, day)}
    for course, task in {(a.course, a.task) for a in known}:
        ways = grouped([a for a in known if (a.course, a.task) == (course, task)], "user")
        for place, back in enumerate(PERIODS, start=1):
            first_day = dt.date.min if back > 365 else day - back * DAY
            parts = [(mine, within(mine, first_day, day)) for mine in ways.values()]
            parts = [(mine, part) for mine, part in parts if part]
            submitted = sum(submits(mine) > 0 for mine, _ in parts)
            solved = sum(successes(mine) > 0 for mine, _ in parts)
            whole = [attempt for _, part in parts for attempt in part]
            if submits(whole):
                shares[course, place][task] = Fraction(solved, submitted)
            if (course, task) not in today:
                continue
            first = [mine[: at + 1] for mine in ways.values()
                     if (at := _first(mine, lambda a: a.is_submit)) is not None
                     and mine[at].day >= first_day]  # fmt: skip
            until = [mine[: at + 1] for mine in ways.values()
                     if (at := _first(mine, lambda a: a.is_success)) is not None
                     and mine[at].day >= first_day]  # fmt: skip
            times = [worked for mine in until if (worked := _worked(mine)) is not None]
            minutes = [Fraction(time / dt.timedelta(microseconds=1)) / 60_000_000 for time in times]
            period = ("день", "28 дней", "всё время")[place - 1]
            found[(course, task, period)] = {
                "place": place,
                "learners": len(parts),
                "submitted": submitted,
                "solved": solved,
                "never_solved": sum(successes(mine) == 0 for mine, _ in parts),
                "solved_share": share(solved, submitted),
                "difficulty_rank": None,
                "ranked_tasks": None,
                "first_submitters": len(first),
                "first_submit_share":
                    share(sum(way[-1].is_success for way in first), len(first)),
                "runs_before_submit": rounded(mean([runs(way) for way in first])),
                "first_solvers": len(until),
                "submits_until_solved": rounded(mean([submits(way) for way in until])),
                "median_submits_until_solved":
                    rounded(median([submits(way) for way in until])) if until else None,
                "minutes_until_solved": rounded(median(minutes)) if minutes else None,
                "timed_solvers": len(times),
                "attempts": len(whole) if place < 3 else None,
                "submits": submits(whole) if place < 3 else None,
                "successes": successes(whole) if place < 3 else None,
            }  # fmt: skip
    for (course, task, _), row in found.items():
        ranked = shares[course, row["place"]]
        if task in ranked:
            row["difficulty_rank"] = 1 + sum(other < ranked[task] for other in ranked.values())
            row["ranked_tasks"] = len(ranked)
    return found


def learner_states(attempts: list[Attempt], loaded: set[dt.date], day: dt.date) -> Rows:
    """Everybody active in 28 days: (course, user) -> the states that apply."""
    known = named(within(attempts, dt.date.min, day))
    found: Rows = {}
    effort: dict[str, dict[str, float]] = defaultdict(dict)
    for (course, user), mine in grouped(known, "course", "user").items():
        recent = within(mine, day - 27 * DAY, day)
        week, before = within(mine, day - 6 * DAY, day), within(mine, day - 13 * DAY, day - 7 * DAY)
        if not recent:
            continue
        recent_tasks = {a.task for a in recent}
        stuck = [
            task for task, whole in grouped(mine, "task").items()
            if task in recent_tasks and wrong_submits(whole) >= 5 and not successes(whole)
        ]  # fmt: skip
        solved = {a.task for a in week if a.is_success}
        if submits(week):
            effort[course][user] = submits(week) / len(solved) if solved else float("inf")
        found[course, user] = {
            "stuck_tasks": len(stuck),
            "submits_7": submits(week),
            "solved_7": len(solved),
            "is_stuck": bool(stuck),
            "is_disengaging":
                None if missing(loaded, day, 14) else bool(before) and not week,
            "is_run_only": runs(recent) > 0 and submits(recent) == 0,
        }  # fmt: skip
    for (course, user), row in found.items():
        values = effort[course].values()
        mine_is = effort[course].get(user)
        row["submits_per_solved"] = None if mine_is in {None, float("inf")} else mine_is
        # They and all who made as many submits for each solved task are 15 % at most.
        row["is_struggling"] = row["submits_7"] >= 5 and Fraction(
            sum(value >= mine_is for value in values), len(values)
        ) <= Fraction(15, 100)
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

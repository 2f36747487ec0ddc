"""The twin of the report of broken tasks, in exact fractions."""

import datetime as dt
from fractions import Fraction
from math import comb, prod

from grader_pipeline_tests.reports.twin import (
    DAY,
    Attempt,
    Rows,
    grouped,
    mean,
    named,
    rounded,
    share,
    submits,
    successes,
    users,
    within,
)  # fmt: skip

FELL, UNSOLVED = "резко упала доля решивших", "никто ещё не решил"


def chance_of_so_few(n: int, solved: int, right: Fraction, wrong: Fraction) -> Fraction:
    """That at most ``solved`` of n solve it: the tail of the beta-binomial distribution."""

    def rising(start: Fraction, steps: int) -> Fraction:
        return prod((start + step for step in range(steps)), start=Fraction(1))

    ways = (comb(n, i) * rising(right, i) * rising(wrong, n - i) for i in range(solved + 1))
    return sum(ways, Fraction(0)) / rising(right + wrong, n)


def broken_tasks(attempts: list[Attempt], day: dt.date) -> Rows:
    known = named(within(attempts, dt.date.min, day))
    firsts = {
        (course, task, user): next(a for a in mine if a.is_submit)
        for (course, task, user), mine in grouped(known, "course", "task", "user").items()
        if submits(mine)
    }
    recent = [first for first in firsts.values() if first.day > day - 28 * DAY]
    found: Rows = {}
    for course, task in {(a.course, a.task) for a in within(known, day - 27 * DAY, day)}:
        everything = [a for a in known if (a.course, a.task) == (course, task)]
        learners = users(a for a in everything if a.is_submit)
        if not successes(everything) and learners >= 5 and submits(everything) >= 15:
            found[course, task, UNSOLVED] = {
                "learners": learners,
                "submits": submits(everything),
                "success_share": 0,
                "learners_before": None,
                "success_share_before": None,
                "expected_share": None,
                "chance": None,
            }
        of_task = [first for first in recent if (first.course, first.task) == (course, task)]
        today = [first for first in of_task if first.day == day]
        before = [first for first in of_task if first.day < day]
        solved, solved_before = successes(today), successes(before)
        if len(today) < 5 or len(before) < 20 or not solved_before:
            continue
        usual = Fraction(successes(recent), len(recent))

        def strength(first: Attempt, usual: Fraction = usual) -> Fraction:
            others = [o for o in recent if o.user == first.user and o is not first]
            return (successes(others) + 2 * usual) / (len(others) + 2)

        ratio = mean([strength(f) for f in today]) / mean([strength(f) for f in before])
        right = solved_before * min(Fraction(1), ratio)
        expected = right / len(before)
        chance = chance_of_so_few(len(today), solved, right, len(before) - right + 1)
        if 10 * solved <= expected * len(today) and chance <= Fraction(25, 1000):
            found[course, task, FELL] = {
                "learners": len(today),
                "submits": None,
                "success_share": share(solved, len(today)),
                "learners_before": len(before),
                "success_share_before": share(solved_before, len(before)),
                "expected_share": rounded(100 * expected),
                "chance": rounded(chance, 4),
            }
    return found

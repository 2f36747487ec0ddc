"""A UTC day's clean attempts: who works on what, when, and with which verdict.

The day is drawn to its totals. Chance decides who is at work, who solves which task, and how the
runs and wrong submits spread over their visits, but never how many there are of each.

A visit is one learner's work on one task: some runs, some wrong submits, and, unless the learner
is stuck, a correct one that ends it.
"""

import datetime as dt

import numpy as np

from grader_pipeline.sample_api.school import (
    TASKS_PER_COURSE,
    Columns,
    Flags,
    Floats,
    Ints,
    columns,
    dice,
    learners_on,
    task_difficulty,
)
from grader_pipeline.sample_api.totals import Totals, totals_of

VERDICTS = ("null", "0", "1", "null", "false", "true")
NULL, WRONG, RIGHT = 0, 1, 2
BOOLEAN = 3  # added to a verdict, the same verdict as a boolean

# The first is nearly everybody's. The others are allowed too, and cannot be read as JSON.
CONSUMER_KEYS = ("", None, "l'école", 'группа "Питон"', 'O\'Neil "beta"', "lms\\main", "00123")

SECOND = 1_000_000  # microseconds, the unit of every moment and gap here
DAY = 86_400 * SECOND
STUCK_PER_SOLVED = 0.35  # visits
HABITS = ((0.35, 10.5, 1.8), (0.50, 19.5, 1.9), (0.15, 15.0, 3.5))  # share, Moscow hour, spread
MOSCOW = 3  # hours ahead of UTC
REST = 0.1  # share of visits that come after some hours of something else
ODD_CONSUMER = 0.01  # share of visits
ODD_MOMENT = 0.002  # share of attempts made at a whole second, so written without a fraction
ODD_VERDICT = 0.003  # share of attempts whose verdict is a boolean


def draw_day(day: dt.date, rows: int) -> tuple[list[str], Columns]:
    """Draw the clean attempts of a UTC day in a school of about `rows` attempts a weekday.

    Gives the ids of the learners at work, 32 hexadecimal digits each, and the attempts, oldest
    first. `learner`, `task`, `consumer` and `verdict` are positions in the ids, `task_blocks()`,
    CONSUMER_KEYS and VERDICTS. `submit` is false for a run. `moment` is UTC, in microseconds since
    1970.
    """
    chance = dice("attempts", day.toordinal(), rows)
    totals = totals_of(day, rows)
    learners = _at_work(learners_on(day.toordinal(), rows), totals.users, chance)
    visits = _visits(learners, totals, chance)

    # First all runs, then all wrong submits, then all correct ones.
    counts = np.concatenate([visits.runs, visits.wrong, visits.solved])
    visit = np.repeat(np.tile(np.arange(len(visits)), 3), counts)
    submit = np.arange(len(visit)) >= totals.runs
    solved = np.arange(len(visit)) >= totals.runs + totals.submits - totals.solved
    # By visit. Within one, runs come rather earlier and the correct submit last.
    order = np.lexsort((chance.random(len(visit)) + 0.4 * submit + 2 * solved, visit))
    visit, submit, solved = visit[order], submit[order], solved[order]

    verdict = _verdicts(submit, solved, totals, chance)
    moment = _moments(visits.learner[visit], visit, chance)
    moment += DAY * (day - dt.date(1970, 1, 1)).days
    of_visit = {name: visits[name][visit] for name in ("learner", "task", "consumer")}
    attempts = columns(**of_visit, submit=submit, verdict=verdict, moment=moment)
    ids = [learner.tobytes().hex() for learner in learners.id]
    return ids, attempts[np.argsort(moment, kind="stable")]


def _at_work(enrolled: Columns, users: int, chance: np.random.Generator) -> Columns:
    urge = np.log(enrolled.diligence) + chance.gumbel(size=len(enrolled))
    return enrolled[np.sort(np.argsort(-urge)[:users])]


def _visits(learners: Columns, totals: Totals, chance: np.random.Generator) -> Columns:
    """Give the day's visits, those of a learner together and in order."""
    stuck = max(round(STUCK_PER_SOLVED * totals.solved), len(learners) - totals.solved)
    further = totals.solved + stuck - len(learners)
    each_once_and_more = 1 + _spread(further, learners.diligence, chance)
    learner = np.repeat(np.arange(len(learners)), each_once_and_more)
    place = (learners.next_task[learner] + _place_in_run(learner)) % TASKS_PER_COURSE
    task = learners.course[learner] * TASKS_PER_COURSE + place

    ease = learners.skill[learner] - task_difficulty()[task]
    solved = np.zeros(len(learner), dtype=np.bool_)
    solved[np.argsort(-(ease + chance.logistic(size=len(ease))))[: totals.solved]] = True

    toil = chance.gamma(0.8, 1, len(ease)) * np.exp(-0.7 * ease) * np.where(solved, 1, 2)
    wrong = _spread(totals.submits - totals.solved, toil, chance)
    silent = ~solved & (wrong == 0)  # a visit that only ran its code has at least one run
    care = chance.gamma(2, 1, len(ease)) * (0.5 + wrong + solved)
    runs = silent + _spread(totals.runs - int(silent.sum()), care, chance)

    odd = np.where(chance.random(len(learner)) < ODD_CONSUMER, 1, 0)
    consumer = odd * chance.integers(1, len(CONSUMER_KEYS), len(learner))
    return columns(
        learner=learner, task=task, consumer=consumer, runs=runs, wrong=wrong, solved=solved
    )


def _spread(count: int, weights: Floats, chance: np.random.Generator) -> Ints:
    """Spread a count over some places, each by its weight."""
    if not len(weights):
        return np.zeros(0, dtype=np.int64)
    return chance.multinomial(count, weights / weights.sum())


def _place_in_run(group: Ints) -> Ints:
    """Count within runs of equal numbers: 5 5 5 7 7 gives 0 1 2 0 1."""
    place = np.arange(len(group))
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return place - np.repeat(starts, np.diff(starts, append=len(group)))


def _verdicts(submit: Flags, solved: Flags, totals: Totals, chance: np.random.Generator) -> Ints:
    verdict = np.where(solved, RIGHT, np.where(submit, WRONG, NULL))
    wrong = np.flatnonzero(submit & ~solved)
    verdict[chance.choice(wrong, min(totals.odd, len(wrong)), replace=False)] = NULL
    runs = np.flatnonzero(~submit)
    verdict[chance.choice(runs, min(totals.odd, len(runs)), replace=False)] = WRONG
    as_boolean = (verdict != NULL) & (chance.random(len(verdict)) < ODD_VERDICT)
    verdict[as_boolean] += BOOLEAN
    return verdict


def _moments(learner: Ints, visit: Ints, chance: np.random.Generator) -> Ints:
    """Give each attempt its time since midnight UTC, in order and never twice for one learner."""
    if not len(learner):
        return np.zeros(0, dtype=np.int64)
    first = _place_in_run(visit) == 0
    pause = first * chance.exponential(300, len(visit))
    rest = first * (chance.random(len(visit)) < REST) * chance.uniform(3600, 5 * 3600, len(visit))
    gap = chance.lognormal(np.log(45), 0.9, len(visit)) + pause + rest

    counted = _place_in_run(learner)
    begins = np.flatnonzero(counted == 0)
    ends = np.append(begins[1:], len(learner)) - 1
    who = np.repeat(np.arange(len(begins)), ends - begins + 1)
    total = np.cumsum(gap)
    since_begin = (total - (total[begins] - gap[begins])[who]) * SECOND

    # A full second between attempts comes first, so that what is left can shrink to fit the day.
    room = DAY - (counted[ends] + 2) * SECOND
    shrink = np.minimum(1, room / since_begin[ends])
    shares, hours, spreads = np.array(HABITS).T
    habit = chance.choice(len(HABITS), len(begins), p=shares)
    usual_start = (chance.normal(hours[habit], spreads[habit]) - MOSCOW) % 24 * 3600 * SECOND
    start = np.minimum(usual_start, room - since_begin[ends] * shrink)
    moment: Ints = (start[who] + since_begin * shrink[who]).astype(np.int64) + counted * SECOND
    whole = chance.random(len(moment)) < ODD_MOMENT
    moment[whole] -= moment[whole] % SECOND
    return moment

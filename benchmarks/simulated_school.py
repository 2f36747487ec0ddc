"""A made-up school whose learners differ: what a rule about tasks is tried with. No task is broken.

A submit is right with the chance that the Rasch model gives for ability and difficulty.
Each further submit of a learner with a task is easier. A course has cohorts that begin
one to four weeks after one another. The tasks of a week take a learner up to three weeks, and the
weak ones come later, so each day brings other learners to a task. Learners submit again until they
solve the task or give up, and some leave the course.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

COURSES, COHORTS, WEEKS, TASKS_A_WEEK = 12, 5, 10, 4
TASKS = WEEKS * TASKS_A_WEEK
_LEARNERS = 90  # of a cohort, the median
_SLOPE = 1.7  # logits of a task's success for one standard deviation of ability
_DIFFICULTY = (-0.3, 1.2)  # mean and standard deviation, in those of ability
_EASIER = 0.4  # logits, by each further submit
_AGAIN, _NEXT_DAY = 0.85, 0.15  # shares of the learners who failed
_TRY_TASK = 0.9
_LEAVE = 0.03  # a week, of those of mean ability


@dataclass(frozen=True)
class Kind:
    """How much learners, cohorts and days differ."""

    name: str
    cohorts: float = 0.4
    """Standard deviation of the cohorts' mean ability. That of a cohort's learners is 1."""
    late: float = 0.6
    """Correlation of ability and diligence. Who is diligent comes early."""
    days: float = 0.3
    """Standard deviation of what a day adds for all who try a task (a webinar, a hint). Logits."""


KINDS = (
    Kind("a usual school"),
    Kind("days that differ twice as much", days=0.6),
    Kind("cohorts that differ twice as much", cohorts=0.8),
    Kind("the weak come later still", late=0.9),
    Kind("only learners differ", cohorts=0, late=0, days=0),
)


@dataclass(frozen=True)
class Submits:
    """Submits of a school, one element each. Days are counted from the school's first one."""

    day: npt.NDArray[np.int64]
    task: npt.NDArray[np.int64]
    learner: npt.NDArray[np.int64]
    is_first: npt.NDArray[np.bool_]
    """The learner's first submit with the task."""
    is_right: npt.NDArray[np.bool_]
    chance: npt.NDArray[np.float64]
    """The chance that it was right."""

    def sourcedid(self, place: int) -> str:
        """The text that names course, task and learner."""
        task = int(self.task[place])
        return f"course-v1:S+C{task // TASKS}+1:lms.example.org-{task:032x}:{self.user_id(place)}"

    def user_id(self, place: int) -> str:
        """The learner's id."""
        return f"{int(self.learner[place]):032x}"

    def attempts(self, first_day: dt.datetime) -> list[tuple[object, ...]]:
        """The submits as lines of the table ``grader``, in the order of their columns.

        Each has its own time. ``first_day`` is the start of the school's first day, in UTC.
        """
        number = np.arange(len(self.day)) * 1_000_003 % 80_000_000
        return [
            (
                self.user_id(at), "", self.sourcedid(at), None, bool(self.is_right[at]), "submit",
                first_day + dt.timedelta(days=int(self.day[at]), milliseconds=int(number[at])),
            )
            for at in range(len(self.day))
        ]  # fmt: skip


def simulate(kind: Kind, seed: int) -> Submits:
    """All submits of a school, in the order of their days."""
    draw = np.random.default_rng(seed)
    parts: list[tuple[npt.NDArray[np.float64], ...]] = []
    known = 0
    for course in range(COURSES):
        difficulty = draw.normal(*_DIFFICULTY, TASKS)
        of_the_day = draw.normal(0, kind.days, (TASKS, 400))
        begins = 0
        for _ in range(COHORTS):
            size = 10 + int(draw.lognormal(np.log(_LEARNERS), 0.7))
            ability = draw.normal(draw.normal(0, kind.cohorts), 1, size)
            noise = np.sqrt(1 - kind.late**2) * draw.normal(0, 1, size)
            diligence = kind.late * ability + noise
            leaves = draw.random((size, WEEKS)) < _LEAVE * np.exp(-0.5 * ability)[:, None]
            there = np.cumsum(leaves, axis=1) == 0
            for number in range(TASKS):
                week, place = divmod(number, TASKS_A_WEEK)
                who = np.flatnonzero(there[:, week] & (draw.random(size) < _TRY_TASK))
                late = 1 / (1 + np.exp(0.8 * diligence[who] - draw.normal(0, 1, len(who))))
                after = 9 * late + 0.8 * place + draw.normal(0, 0.6, len(who))
                day = begins + 7 * week + np.clip(after, 0, 20).astype(int)
                # Half of those who come on a Saturday come on the Sunday.
                day += (day % 7 == 5) & (draw.random(len(who)) < 0.5)  # noqa: PLR2004
                logit = _SLOPE * (ability[who] - difficulty[number]) + of_the_day[number, day]
                found = _submits(draw, day, logit)
                task, learner = course * TASKS + number, known + who
                parts += [
                    (days, np.full(len(at), task), learner[at], np.full(len(at), first), right, p)
                    for days, at, first, right, p in found
                ]
            known += size
            begins += int(draw.integers(7, 29))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Submits(*(column[order] for column in columns))


def _submits(
    draw: np.random.Generator, day: npt.NDArray[np.int64], logit: npt.NDArray[np.float64]
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], bool, npt.NDArray[np.bool_],
                npt.NDArray[np.float64]]]:  # fmt: skip
    """Everybody's submits of one task: days, who, whether the first ones, verdicts, chances."""
    found = []
    who, tries = np.arange(len(day)), 0
    while len(who):
        chance = 1 / (1 + np.exp(-(logit[who] + _EASIER * tries)))
        right = draw.random(len(who)) < chance
        found.append((day[who], who, tries == 0, right, chance))
        who = who[~right & (draw.random(len(who)) < _AGAIN)]
        day = day + (draw.random(len(day)) < _NEXT_DAY)
        tries += 1
    return found

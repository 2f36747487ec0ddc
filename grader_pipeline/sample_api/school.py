"""The made-up school: its courses, their tasks, and the learners who come and go.

Everything here is drawn from named dice, so that any process that asks gets the same school.
"""

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

SEED = 20230531

COURSES = (
    "course-v1:SkillFactory+DST-3.0+28FEB2021",
    "course-v1:SkillFactory+DSPR-2.0+14JULY2021",
    "course-v1:SkillFactory+SQL2.0+31AUG2020",
    "course-v1:SkillFactory+FPW-2.0+27AUG2020",
    "course-v1:SkillFactory+PYDEV-1.0+11OCT2021",
    "course-v1:SkillFactory+DAML-2.1+05APR2022",
    "course-v1:SkillFactory+ALGO+17JAN2022",
    "course-v1:SkillFactory+MATHML-1.0+20SEP2021",
)
COURSE_WITHOUT_OUTCOME_URL = 0  # a position in COURSES
COURSE_EASE = np.array([0.0, -0.2, 0.5, 0.2, 0.1, -0.4, -0.6, -0.3])
COURSE_SIZE = np.array([1.8, 1.2, 1.5, 1.3, 0.8, 0.6, 0.4, 0.4])  # around one
TASKS_PER_COURSE = 160

COHORT_EVERY = 28  # days
PROGRAMME = 280  # days from a cohort's first to its last
USUAL_STAY = 200  # days until half the learners and some more have dropped out
LEARNERS_PER_ROW = 0.0045  # in one cohort, for each attempt of a weekday

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def dice(what: str, *which: int) -> np.random.Generator:
    """Give the one source of chance for `what`; the numbers, none negative, tell its kin apart."""
    return np.random.default_rng([SEED, zlib.crc32(what.encode()), *which])


@dataclass(frozen=True)
class Learners:
    """Some learners on one day, an array element each."""

    ids: NDArray[np.uint8]
    """Sixteen bytes a learner; an id is their 32 hexadecimal digits."""
    course: Ints
    """Position in COURSES."""
    skill: Floats
    """In logits: equal to a task's difficulty, it solves that task as often as not."""
    diligence: Floats
    """How much more often than others this learner is at work."""
    next_task: Ints
    """Where in the course the learner has got to."""

    def __len__(self) -> int:
        return len(self.course)

    def __getitem__(self, chosen: Ints) -> "Learners":
        return Learners(
            self.ids[chosen],
            self.course[chosen],
            self.skill[chosen],
            self.diligence[chosen],
            self.next_task[chosen],
        )


def learners_on(day: int, rows: int) -> Learners:
    """Give everybody enrolled on a day (a proleptic ordinal) in a school of `rows` attempts."""
    cohorts = [
        _cohort(course, number, day, rows)
        for course in range(len(COURSES))
        for number in _cohorts_studying(course, day)
    ]
    return Learners(
        np.concatenate([cohort.ids for cohort in cohorts]),
        np.concatenate([cohort.course for cohort in cohorts]),
        np.concatenate([cohort.skill for cohort in cohorts]),
        np.concatenate([cohort.diligence for cohort in cohorts]),
        np.concatenate([cohort.next_task for cohort in cohorts]),
    )


@cache
def task_blocks() -> tuple[str, ...]:
    """Give every task's LTI block id; a course's tasks stand together, in teaching order."""
    text = dice("task blocks").bytes(16 * len(COURSES) * TASKS_PER_COURSE).hex()
    return tuple(text[at : at + 32] for at in range(0, len(text), 32))


@cache
def task_difficulty() -> Floats:
    """Give every task's difficulty in logits, in the order of `task_blocks`."""
    spread = dice("task difficulty").normal(0, 0.9, (len(COURSES), TASKS_PER_COURSE))
    difficulty: Floats = (spread - COURSE_EASE[:, None]).ravel()
    return difficulty


def _cohorts_studying(course: int, day: int) -> range:
    # Counted so that the cohorts of the calendar's first days have numbers above zero too.
    latest = (day + PROGRAMME - _first_day_in_turn(course)) // COHORT_EVERY
    return range(latest - PROGRAMME // COHORT_EVERY + 1, latest + 1)


def _first_day_in_turn(course: int) -> int:
    return course * COHORT_EVERY // len(COURSES)


def _cohort(course: int, number: int, day: int, rows: int) -> Learners:
    chance = dice("cohort", course, number)
    size = max(1, round(rows * LEARNERS_PER_ROW * COURSE_SIZE[course]))
    talent = chance.normal(-0.9, 0.7, size)
    progress = chance.gamma(9, 0.2, size)  # logits over the whole programme
    pace = chance.gamma(6, 0.12, size)  # tasks a day
    diligence = chance.gamma(1.2, 1, size)
    stay = chance.exponential(USUAL_STAY, size)
    ids = np.frombuffer(chance.bytes(16 * size), dtype=np.uint8).reshape(size, 16)

    age = day + PROGRAMME - _first_day_in_turn(course) - number * COHORT_EVERY
    return Learners(
        ids,
        np.full(size, course),
        talent + progress * age / PROGRAMME,
        diligence,
        (pace * age).astype(np.int64),
    )[np.flatnonzero(stay > age)]

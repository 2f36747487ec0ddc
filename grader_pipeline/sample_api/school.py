"""The made-up school: its courses, their tasks, and the learners who come and go.

Everything here is drawn from named dice, so that any process that asks gets the same school.
"""

import zlib
from functools import cache
from typing import Any

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
USUAL_STAY = 200  # days, on average, until a learner drops out
LEARNERS_PER_ROW = 0.0045  # in one cohort, for each attempt of a weekday

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Columns = Any
"""An array with named columns, such as `visits.runs`. The types of numpy cannot say which."""


def dice(what: str, *which: int) -> np.random.Generator:
    """Give the source of chance for `what` and these numbers, none of them negative."""
    return np.random.default_rng([SEED, zlib.crc32(what.encode()), *which])


def columns(**arrays: NDArray[Any]) -> Columns:
    """Give arrays of one length as one array with their names."""
    fields = [(name, array.dtype) for name, array in arrays.items()]
    return np.rec.fromarrays(list(arrays.values()), dtype=fields)


def learners_on(day: int, rows: int) -> Columns:
    """Give everybody enrolled on a day (a proleptic ordinal) in a school of `rows` attempts.

    A line a learner. `id` is 16 bytes. `course` is a position in COURSES. `skill` is in
    logits: a learner solves half of the tasks whose difficulty equals it. `diligence` is how much
    more often than others the learner is at work. `next_task` counts within the course.
    """
    cohorts = []
    for course in range(len(COURSES)):
        # Counted so that the cohorts of the calendar's first days have numbers above zero too.
        since_first = day + PROGRAMME - course * COHORT_EVERY // len(COURSES)
        latest = since_first // COHORT_EVERY
        for number in range(latest - PROGRAMME // COHORT_EVERY + 1, latest + 1):
            cohorts.append(_cohort(course, number, since_first - number * COHORT_EVERY, rows))
    return np.concatenate(cohorts).view(np.recarray)


@cache
def task_blocks() -> tuple[str, ...]:
    """Give every task's LTI block id: those of a course together, in teaching order."""
    text = dice("task blocks").bytes(16 * len(COURSES) * TASKS_PER_COURSE).hex()
    return tuple(text[at : at + 32] for at in range(0, len(text), 32))


@cache
def task_difficulty() -> Floats:
    """Give every task's difficulty in logits, in the order of `task_blocks`."""
    spread = dice("task difficulty").normal(0, 0.9, (len(COURSES), TASKS_PER_COURSE))
    difficulty: Floats = (spread - COURSE_EASE[:, None]).ravel()
    return difficulty


def _cohort(course: int, number: int, age: int, rows: int) -> Columns:
    """Give the learners of a cohort who are still there `age` days after its start."""
    chance = dice("cohort", course, number)
    size = max(1, round(rows * LEARNERS_PER_ROW * COURSE_SIZE[course]))
    talent = chance.normal(-0.9, 0.7, size)
    progress = chance.gamma(9, 0.2, size)  # logits over the whole programme
    pace = chance.gamma(6, 0.12, size)  # tasks a day
    diligence = chance.gamma(1.2, 1, size)
    stay = chance.exponential(USUAL_STAY, size)
    ids = np.frombuffer(chance.bytes(16 * size), dtype="V16")
    return columns(
        id=ids,
        course=np.full(size, course),
        skill=talent + progress * age / PROGRAMME,
        diligence=diligence,
        next_task=(pace * age).astype(np.int64),
    )[stay > age]

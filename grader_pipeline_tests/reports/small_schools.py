"""Small schools, where most groups have fewer than five learners, for the attacker to look at."""

import datetime as dt
from random import Random

from grader_pipeline_tests.grader import learner
from grader_pipeline_tests.reports.twin import DAY as ONE_DAY
from grader_pipeline_tests.reports.twin import MOSCOW, Attempt

DAY = dt.date(2023, 5, 31)
_NIGHT = (0, 1, 2, 3, 4, 23)


def small_school(seed: int) -> dict[dt.date, list[Attempt]]:
    """Three days of a school. Learners share courses, some learn at night, some texts are bad."""
    chance = Random(seed)
    pool = [learner(f"{seed}/{n}") for n in range(chance.randint(6, 30))]
    courses = {
        f"course-v1:S+{letter}+1": (
            chance.sample(pool, min(len(pool), chance.choice((1, 2, 3, 4, 5, 6, 9, 14)))),
            [letter.lower() * 31 + str(n) for n in range(chance.randint(1, 4))],
            chance.choice((1.0, 1.0, 1.0, 0.0, 0.5)),
        )
        for letter in "ABCDEF"[: chance.randint(2, 6)]
    }
    days: dict[dt.date, list[Attempt]] = {}
    for back in (8, 1, 0):
        found: dict[tuple[str, dt.datetime], Attempt] = {}
        for course, (members, tasks, with_url) in courses.items():
            for user in members:
                if chance.random() < 0.15:
                    continue
                hours = _NIGHT if chance.random() < 0.1 else chance.sample(range(8, 22), 3)
                for _ in range(chance.randint(1, 8)):
                    at = _moment(chance, DAY - back * ONE_DAY, chance.choice(hours))
                    task = chance.choice(tasks)
                    url = "https://lms.example.org/x" if chance.random() < with_url else None
                    unread = chance.random() < 0.04
                    found[user, at] = Attempt(
                        user, at, chance.choice((None, True, False)),
                        None if unread else task, None if unread else course, url,
                        text="no course" if unread else None,
                    )  # fmt: skip
        days[DAY - back * ONE_DAY] = list(found.values())
    return days


def _moment(chance: Random, day: dt.date, hour: int) -> dt.datetime:
    seconds = hour * 3600 + chance.randint(0, 3599)
    return dt.datetime.combine(day, dt.time()) - MOSCOW + dt.timedelta(seconds=seconds)

"""What the weekly mail says: a week beside the week before."""

import datetime as dt

from grader_pipeline.reports.russian import counted, date, number

BEFORE = "прошлой неделе"
COURSES = "По курсам"
IMPROVED = "Что стало лучше"
HEAD = ("", "Юзеров", "Попыток", "Успешных")
SUBMITS, SUCCESSES, SHARE, LEARNERS = (
    "Попыток (submit)", "Успешных попыток (submit)", "Доля успешных, % от попыток (submit)",
    "Юзеров с попытками",
)  # fmt: skip


def period(first: dt.date, last: dt.date) -> str:
    """The days of the week."""
    return f"{date(first)}–{date(last)}"


def subject(first: dt.date, last: dt.date) -> str:
    """Of the weekly mail."""
    return f"Неделя {period(first, last)} — итоги по курсам"


def week(first: dt.date, last: dt.date, courses: int) -> str:
    """What the mail is about."""
    which = counted(courses, "курс", "курса", "курсов")
    return f"Неделя {period(first, last)} рядом с предыдущей: {which}."


def missing(count: int) -> str:
    """Days of the two weeks are not stored."""
    days = counted(count, "день", "дня", "дней")
    return f"Недели не сравниваются: за {days} из 14 данных нет."


def more_courses(count: int) -> str:
    """Courses that the mail leaves out."""
    return f"Ещё {counted(count, 'курс', 'курса', 'курсов')} — в отчёте, на листе «Недели»."


def more_learners(course: str, now: int, before: int) -> str:
    """A course has more learners."""
    return f"{course}: {counted(now, 'юзер', 'юзера', 'юзеров')}, было {number(before)}."


def share(course: str, now: str, before: str) -> str:
    """A course solves more, or less."""
    return f"{course}: успешных submit {now}, было {before}."


def fewer_learners(course: str, now: int, before: int) -> str:
    """A course has fewer learners."""
    return f"{course}: занимались {counted(now, 'юзер', 'юзера', 'юзеров')}, было {number(before)}."

"""What the weekly mail says: a week beside the week before."""

import datetime as dt

from grader_pipeline.reports.russian import counted, date, number

DAYS = 7
BEFORE = "прошлой неделе"
AGAIN = "Предыдущее письмо об этой неделе было неполным: тогда данных было меньше."
COURSES = "По курсам"
IMPROVED = "Что стало лучше"
HEAD = ("", "Юзеров", "Попыток (submit)", "Из них успешных")
SUBMITS, SUCCESSES, SHARE, LEARNERS = (
    "Попыток (submit)", "Успешных попыток (submit)", "Доля успешных, % от попыток (submit)",
    "Юзеров с попытками",
)  # fmt: skip


def period(first: dt.date, last: dt.date) -> str:
    """The days of the week."""
    return f"{date(first)}–{date(last)}"


def subject(first: dt.date, last: dt.date, known: int) -> str:
    """Of the weekly mail. ``known`` is how many of the week's seven days have data."""
    if known < DAYS:
        return f"Неделя {period(first, last)} — пока {_known(known)}"
    return f"Неделя {period(first, last)} — итоги по курсам"


def week(first: dt.date, last: dt.date, courses: int, known: int, known_before: int) -> str:
    """What the mail is about. ``known`` days of the week and of the week before have data."""
    which = counted(courses, "курс", "курса", "курсов")
    if known < DAYS:
        return (
            f"Неделя {period(first, last)} неполная: есть {_known(known)}. Все числа ниже — только "
            "за эти дни, с предыдущей неделей они не сравниваются."
        )
    if known_before < DAYS:
        why = f"за неё есть {_known(known_before)}" if known_before else "за неё данных нет"
        return f"Неделя {period(first, last)}: {which}. Сравнить её с предыдущей нельзя: {why}."
    return f"Неделя {period(first, last)} рядом с предыдущей: {which}."


def _known(count: int) -> str:
    days = counted(count, "день", "дня", "дней")
    return f"данные за {days} из {DAYS}"


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

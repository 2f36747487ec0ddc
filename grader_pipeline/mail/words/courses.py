"""What the mail to somebody with courses of their own says."""

import datetime as dt
from collections.abc import Sequence

from grader_pipeline.mail.words.general import reports_of
from grader_pipeline.reports.russian import NO_VALUE, dates, short_date

NEED_HELP = "Кому нужна помощь"
ATTEMPTS, SUCCESSES, SHARE, LEARNERS = (
    "Попыток (submit)", "Успешных попыток (submit)", "Доля успешных", "Юзеров с попытками",
)  # fmt: skip

BY_DAY = ("", ATTEMPTS, SUCCESSES, LEARNERS)
NOT_SHOWN = (
    f"{NO_VALUE}: чисел за день нет, потому что в этом курсе или в остальных небольших занималось "
    "меньше пяти юзеров."
)


def subject(found: Sequence[dt.date]) -> str:
    """Of the mail about days of some courses."""
    return f"Ваши курсы — {reports_of(found)}"


def ready(found: Sequence[dt.date], courses: int) -> str:
    """The figures of some courses are there, of these days."""
    which = "вашего курса" if courses == 1 else "ваших курсов"
    return f"Данные студентов за {dates(found)} обновлены в базе данных, ниже — числа {which}."


def changed_subject(found: Sequence[dt.date]) -> str:
    """Of the mail that figures of some courses changed."""
    return f"Числа ваших курсов изменились — {reports_of(found)}"


def changed(found: Sequence[dt.date]) -> str:
    """Figures of some courses are not what an earlier mail said."""
    return f"Данные за {dates(found)} пересчитаны: числа ваших курсов теперь другие."


def course_of_day(course: str, day: dt.date) -> str:
    """A heading."""
    return f"{course}, {short_date(day)}"


def not_shown(course: str) -> str:
    """A course has no line of its own."""
    return (
        f"{course}: чисел за этот день нет, потому что в этом курсе или в остальных небольших "
        "занималось меньше пяти юзеров."
    )

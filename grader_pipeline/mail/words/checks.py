"""What a mail says of a check that warns: a sentence for each, from what the check found."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from grader_pipeline.mail.words import days
from grader_pipeline.mail.words.general import and_more
from grader_pipeline.reports.day_metrics import Accounting
from grader_pipeline.reports.russian import counted, number
from grader_pipeline.reports.russian import dates as written

Facts = Mapping[str, Any]
"""The metadata of a check's evaluation, as plain values."""
Name = Callable[[str], str]
"""A course or task as readers see it."""

MOST_NAMED = 3


def sentence(check: str, facts: Facts, ledger: Accounting | None, name: Name) -> str:
    """What a check that warns found. One without words of its own is named."""
    if words := _SENTENCES.get(check):
        return words(facts, ledger, name)
    return f"Проверка {check} нашла необычное: что именно, видно в Dagster."


def known() -> set[str]:
    """The checks that have words."""
    return set(_SENTENCES)


def few(names: Sequence[str], unnamed: int = 0) -> str:
    """Some of the names, and how many there are besides."""
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - len(names[:MOST_NAMED]) + unnamed
    if not shown:
        return f"{number(more)} (в каждом меньше пяти юзеров)"
    return f"{shown} {and_more(more)}" if more else shown


def _rejected(facts: Facts, ledger: Accounting | None, _: Name) -> str:
    why = f" Причины: {days.reasons(ledger)}." if ledger and ledger.reasons else ""
    part = number(Decimal(100 * facts["share"]), 1)
    return (
        f"Отклонено {part}\N{NO-BREAK SPACE}% строк ответа API, обычно их меньше "
        f"5\N{NO-BREAK SPACE}%. В отчёт они не вошли.{why}"
    )


def _rejected_in_courses(facts: Facts, _: Accounting | None, name: Name) -> str:
    courses = few([name(course) for course in facts["courses"]], facts["not named"])
    return f"Больше 50 отклонённых строк в одном курсе: {courses}."


def _volume(facts: Facts, _: Accounting | None, __: Name) -> str:
    usual, attempts = Decimal(facts["median of the weekday"]), Decimal(facts["attempts"])
    how = "меньше половины обычного" if attempts < usual else "больше обычного вдвое"
    return (
        f"За день {counted(int(attempts), 'попытка', 'попытки', 'попыток')} — это {how}: в такой "
        f"же день недели их {number(usual, 0)} (медиана четырёх недель)."
    )


def _verdicts(facts: Facts, _: Accounting | None, __: Name) -> str:
    return (
        f"Вердикт не подходит к типу попытки: {number(facts['attempts'])}. Это submit без вердикта "
        "(считается неуспешным) или run с вердиктом."
    )


def _no_urls(facts: Facts, _: Accounting | None, name: Name) -> str:
    courses = few([name(course) for course in facts["courses"]], facts["not named"])
    return f"Ни у одной попытки нет outcome URL, и оценки не попадут в LMS. Курсы: {courses}."


def _some_urls(facts: Facts, _: Accounting | None, name: Name) -> str:
    shares = sorted(facts["% of attempts"].items(), key=lambda pair: -pair[1])
    named = [f"{name(course)} ({share}\N{NO-BREAK SPACE}%)" for course, share in shares]
    return (
        "У части попыток нет outcome URL, и их оценки не попадут в LMS. Курсы: "
        f"{few(named, facts['not named'])}."
    )


def _unread(_: Facts, __: Accounting | None, ___: Name) -> str:
    return (
        "У 5\N{NO-BREAK SPACE}% попыток или больше не распознаны курс и задание: они есть в итогах "
        "дня, но не в отчёте по заданиям."
    )


def _differing(facts: Facts, _: Accounting | None, __: Name) -> str:
    return (
        f"Уже загруженные попытки, о которых API отвечает иначе: {number(facts['differing'])}. "
        "В отчёте прежние данные; новые может взять владелец выгрузки (on_conflict: update)."
    )


def _changed(facts: Facts, _: Accounting | None, __: Name) -> str:
    others = [dt.date.fromisoformat(day) for day in facts["other days"]]
    also = f" То же за {written(others)}." if others else ""
    return f"Данные этого дня в базе менял кто-то кроме выгрузки. Отчёт пересчитан по ним.{also}"


_SENTENCES: Mapping[str, Callable[[Facts, Accounting | None, Name], str]] = {
    "table_was_changed": _changed,
    "usual_volume": _volume,
    "few_rejected": _rejected,
    "few_rejected_in_each_course": _rejected_in_courses,
    "courses_and_tasks_are_readable": _unread,
    "stored_rows_agree": _differing,
    "verdict_fits_type": _verdicts,
    "outcome_urls_are_whole": _some_urls,
    "courses_have_outcome_urls": _no_urls,
}


def place(check: str) -> int:
    """The place of its sentence among those of other checks: what is unusual comes first."""
    names = list(_SENTENCES)
    return names.index(check) if check in names else len(names)

"""Words that every mail has."""

import datetime as dt
from collections.abc import Collection, Sequence

from grader_pipeline.reports.russian import counted, date, dates

LANGUAGE = "ru"
GREETING = "Коллеги, добрый день!"
WARNINGS = "На что обратить внимание"
REPORT = "Отчёт"
OPEN_REPORT = "Открыть отчёт"
OPEN_RUN = "Открыть запуск в Dagster"
TECHNICAL = "Техническое описание, для владельцев выгрузки"
AUTOMATIC = "Письмо отправлено автоматически."
RUN = "Запуск в Dagster"


def days(count: int) -> str:
    """How many days."""
    return counted(count, "день", "дня", "дней")


def remarks(count: int) -> str:
    """How many warnings."""
    return counted(count, "замечание", "замечания", "замечаний")


def reports_of(found: Collection[dt.date]) -> str:
    """The end of a subject."""
    first, last = min(found), max(found)
    if first == last:
        return f"отчёт за {date(first)}"
    return f"отчёты за {date(first)}–{date(last)} ({days(len(set(found)))})"


def waiting(found: Sequence[dt.date]) -> str:
    """Days whose loading or computing can still change what a mail says."""
    return (
        "Показатели ещё могут измениться: не закончена обработка данных за "
        f"{dates(found)} ({days(len(found))})."
    )


def and_more(count: int) -> str:
    """What a list leaves out."""
    return f"и ещё {count}"

"""What mails about days say: the report is ready, it has changed, a backfill has ended."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from grader_pipeline.mail.words.general import days, remarks, reports_of
from grader_pipeline.reports.day_metrics import Accounting
from grader_pipeline.reports.russian import (
    counted,
    date,
    dates,
    number,
    reason,
    share,
    short_date,
)

REST = "Ещё о дне"
BY_DAY = "Показатели по дням"
BEFORE, NOW = "Было", "Стало"

_COUNTED = {
    "submits": ("попытка (submit)", "попытки (submit)", "попыток (submit)"),
    "successful_submits": ("успешная", "успешные", "успешных"),
    "unique_users": ("юзер", "юзера", "юзеров"),
}


def ready_subject(day: dt.date) -> str:
    """Of the mail that a report is ready."""
    return f"Выгрузка grades завершена — {reports_of([day])}"


def ready(day: dt.date, warnings: int) -> str:
    """A day's report is there."""
    below = f"; ниже — {remarks(warnings)}" if warnings else ""
    return f"Данные студентов за {date(day)} обновлены в базе данных{below}."


def preheader(values: Mapping[str, Decimal | None], warnings: int) -> str:
    """The day in a few words."""
    known = [
        counted(int(value), *_COUNTED[name])
        for name, value in values.items()
        if name in _COUNTED and value is not None
    ]
    return ", ".join([*known, *([remarks(warnings)] if warnings else [])])


def compared(change: str, against: str) -> str:
    """A change, and what it is against: a day, a week."""
    return f"{change} к\N{NO-BREAK SPACE}{against}"


def unchanged(against: str) -> str:
    """A figure is that of another day or week."""
    return f"= как {against}"


def more_metrics(count: int) -> str:
    """Metrics that the mail leaves out."""
    return f"Ещё {counted(count, 'показатель', 'показателя', 'показателей')} — в отчёте."


def chart(series: Mapping[str, Mapping[dt.date, Decimal | None]], length: int) -> str:
    """The picture, for somebody who does not see it."""
    known = {
        label: [value for value in values.values() if value is not None]
        for label, values in series.items()
    }
    ranges = [
        f"{label} — от {number(min(values))} до {number(max(values))}"
        for label, values in known.items()
        if values
    ]
    return f"График за последние {days(length)}: {'; '.join(ranges)}."


def accounting(ledger: Accounting) -> str:
    """What became of the elements of the answer."""
    part = f" ({share(ledger.rejected, ledger.received)})" if ledger.rejected else ""
    return (
        f"Получено {counted(ledger.received, 'попытка', 'попытки', 'попыток')} (run и submit): "
        f"загружено {number(ledger.loaded)}, уже были в базе {number(ledger.already_there)}, "
        f"повторы {number(ledger.duplicates)}, отклонено {number(ledger.rejected)}{part}."
    )


def reasons(ledger: Accounting) -> str:
    """Why elements were rejected."""
    return ", ".join(f"{reason(word)} — {number(rows)}" for word, rows in ledger.reasons)


def changed_subject(found: Sequence[dt.date]) -> str:
    """Of the mail that metrics changed."""
    return f"Показатели изменились — {reports_of(found)}"


def changed(found: Sequence[dt.date], metrics: int) -> str:
    """Metrics are not what an earlier mail said."""
    forms = ("показатель изменился", "показателя изменились", "показателей изменилось")
    return f"Данные за {dates(found)} пересчитаны: {counted(metrics, *forms)}."


def changed_day(day: dt.date) -> str:
    """The heading of a day whose metrics changed."""
    return f"Показатели за {date(day)} изменились"


CHANGED_METRICS = "Какие показатели изменились"


def changed_metrics_of(day: dt.date, more: int) -> str:
    """The heading of a day among others. ``more`` of its metrics are left out."""
    if not more:
        return short_date(day)
    which = counted(more, "показатель", "показателя", "показателей")
    return f"{short_date(day)} (ещё {which} — в отчёте)"


def more_changed(count: int) -> str:
    """Days with changes that the mail leaves out."""
    which = counted(count, "дня", "дней", "дней")
    return f"Изменились и показатели ещё {which} — они в отчёте."


def digest_subject(found: Sequence[dt.date], reported: int, missing: int) -> str:
    """Of the mail that a backfill ended. ``reported`` and ``missing`` are numbers of days."""
    how = "завершена" if not missing else "завершена не полностью" if reported else "не удалась"
    return f"Выгрузка grades {how} — {reports_of(found)}"


def digest(reported: Sequence[dt.date], missing: Sequence[dt.date]) -> str:
    """How a backfill ended."""
    if not reported:
        return f"Отчётов за {dates(missing)} нет: выгрузка не удалась."
    done = f"Данные студентов за {dates(reported)} обновлены в базе данных"
    return (
        f"{done}; отчётов ещё нет за {counted(len(missing), 'день', 'дня', 'дней')}."
        if missing
        else f"{done}."
    )


def failed_days(found: Sequence[dt.date], happened: str) -> str:
    """Days of a backfill that failed, and why."""
    return f"Не удалось: {dates(found)}. {happened}"


def unreported_days(found: Sequence[dt.date]) -> str:
    """Days whose data are there, and whose report is not."""
    return f"Отчёта ещё нет: {dates(found)}. Данные загружены, но отчёт не записан."


def running_days(found: Sequence[dt.date]) -> str:
    """Days that a run still works on."""
    return f"Ещё выполняется: {dates(found)}. Об этих днях придёт отдельное письмо."


def days_not_run(found: Sequence[dt.date]) -> str:
    """Days of a backfill for which no run began, or whose run was canceled."""
    return f"Не выполнялось: {dates(found)}. Эти дни нужно запустить ещё раз."


def short_label(label: str) -> str:
    """A label for a narrow column."""
    return label.removeprefix("Количество ").capitalize()


def more_days(count: int) -> str:
    """Days that a table leaves out."""
    return f"И ещё {days(count)} — в отчёте."


def recovered_subject(found: Sequence[dt.date]) -> str:
    """Of the mail that trouble has ended."""
    return f"Выгрузка grades снова в порядке — {reports_of(found)}"


def recovered(found: Sequence[dt.date]) -> str:
    """Days that failed or were not run have their reports."""
    return (
        f"Выгрузка grades за {dates(found)} выполнена, хотя раньше она не удалась или не "
        "выполнялась: делать ничего не нужно."
    )

"""What the owners read when a run failed: what happened, what it means, who can do what."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from grader_pipeline.asset_names import (
    GRADER_TABLE,
    METRICS,
    RAW_ATTEMPTS,
    SHEET_REPORT,
    VALIDATED_ATTEMPTS,
)
from grader_pipeline.mail.words.general import reports_of
from grader_pipeline.reports.russian import dates

HAPPENED = "Что случилось"
MEANS = "Что это значит для отчёта"
TO_DO = "Кто что может сделать"


class Words(NamedTuple):
    """What happened, and who can do what."""

    happened: str
    to_do: tuple[str, ...]


COLLEAGUES = "Коллеги: ничего. Когда отчёт будет готов, им придёт письмо."
_AGAIN = "Владелец выгрузки: когда причины больше нет, запустить день ещё раз в Dagster."
_WHY = "Владелец выгрузки: исправить причину, она названа ниже, и запустить день ещё раз в Dagster."
_API = "Администратор грейдера: проверить, отвечает ли API и что он отдаёт за этот день."
_ACCEPT = (
    "Владелец выгрузки: если день и правда был таким (праздник, каникулы), запустить его с "
    "accept_day: true; если нет — дождаться исправления в грейдере и запустить ещё раз."
)
_SHEET = "Владелец таблицы: вернуть доступ сервисному аккаунту, если его убрали."

_CHECKS = {
    "rejected_share": Words(
        "Слишком большая часть ответа API не прошла проверку, поэтому день не загружен.",
        (_API, _ACCEPT),
    ),
    "day_volume": Words(
        "Данных за день намного меньше, чем обычно в этот день недели, поэтому день не загружен.",
        (_API, _ACCEPT),
    ),
    "accounting": Words(
        "После загрузки счёт не сошёлся: в базе не столько попыток, сколько получено.", (_AGAIN,)
    ),
    "table_schema": Words(
        "Таблицы в базе не такие, каких ждёт выгрузка, поэтому день не загружен.", (_WHY,)
    ),
    "every_report_ran": Words(
        "Часть отчётов за день посчитать не удалось; остальные посчитаны и записаны.", (_WHY,)
    ),
    "reports_agree": Words("Отчёт посчитан не по тем попыткам, которые сейчас в базе.", (_AGAIN,)),
}

_PASSING = {
    RAW_ATTEMPTS: Words(
        "Получить данные за день не удалось, повторные попытки не помогли. Чаще всего это значит, "
        "что API грейдера не отвечает.",
        (_API, _AGAIN),
    ),
    SHEET_REPORT: Words(
        "Записать отчёт в таблицу не удалось, повторные попытки не помогли. Чаще всего это значит, "
        "что таблица сейчас не отвечает.",
        (_AGAIN,),
    ),
}

_LASTING = {
    RAW_ATTEMPTS: Words("Получить данные за день от API грейдера не удалось.", (_WHY, _API)),
    VALIDATED_ATTEMPTS: Words(
        "Проверить данные дня не удалось, поэтому день не загружен.", (_WHY,)
    ),
    GRADER_TABLE: Words("Загрузить попытки дня в базу данных не удалось.", (_WHY,)),
    METRICS: Words("Посчитать показатели дня не удалось.", (_WHY,)),
    SHEET_REPORT: Words("Записать отчёт в таблицу не удалось.", (_SHEET, _WHY)),
}

_OTHER = Words(
    "Запуск прервался: обычно это значит, что остановились его процесс или машина.", (_AGAIN,)
)

_ORDER = (RAW_ATTEMPTS, VALIDATED_ATTEMPTS, GRADER_TABLE, METRICS, SHEET_REPORT)


def words_of(step: str, checks: Sequence[str] = (), *, may_pass: bool = False) -> Words:
    """The words for a step, the checks that failed there, and whether time may clear it."""
    for check in checks:
        if check in _CHECKS:
            return _CHECKS[check]
    if may_pass and step in _PASSING:
        return _PASSING[step]
    return _LASTING.get(step, _OTHER)


def known_checks() -> set[str]:
    """The blocking checks that have words."""
    return set(_CHECKS)


def means(step: str, checks: Sequence[str], *, was_reported: bool) -> str:
    """What the failure means for the report."""
    if "every_report_ran" in checks:
        return "В таблице есть всё, кроме этих отчётов; остальные числа дня верны."
    if "reports_agree" in checks:
        return "Числа этого дня в таблице могли устареть, пока его не запустят ещё раз."
    if step in _ORDER[:2] or "table_schema" in checks:
        done = "Ничего не загружено."
    elif "accounting" in checks:
        done = "Попытки загружены, но показатели по ним не посчитаны."
    elif step == GRADER_TABLE:
        done = "В базе остались прежние попытки этого дня."
    elif step in _ORDER:
        done = "Попытки уже в базе, повторно их получать не нужно."
    else:
        done = "Что уже сделано, видно в Dagster."
    kept = (
        "В отчёте остаются прежние числа этого дня."
        if was_reported
        else "Отчёта за этот день пока нет, письмо коллегам не отправлено."
    )
    return f"{done} {kept} Другие дни не затронуты."


def subject(days: Sequence[dt.date]) -> str:
    """Of the mail that a run failed."""
    return f"Выгрузка grades не удалась{f' — {reports_of(days)}' if days else ''}"


def failed(days: Sequence[dt.date]) -> str:
    """A run failed."""
    return f"Выгрузка grades{f' за {dates(days)}' if days else ''} не удалась."


NO_REPEAT = (
    "О той же причине за этот же день больше не напомним; когда выгрузка удастся, придёт письмо."
)

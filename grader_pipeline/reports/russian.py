"""Numbers, days and plurals as Russian readers write them."""

import datetime as dt
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from grader_pipeline.reports.units import Cell, Change, Percent, Unit, unit_of

NO_VALUE = "—"
DECIMALS = 2
"""How many decimals readers see of a number, at most."""
_NBSP = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_RUSSIAN = Locale("ru")

_REASONS = {
    "not_an_object": "запись не является объектом",
    "missing_field": "нет поля",
    "null_field": "поле пустое (null)",
    "wrong_type": "неверный тип",
    "empty_field": "пустая строка",
    "undecodable_passback_params": "не читается passback_params",
    "unexpected_value": "недопустимое значение",
    "too_long": "слишком длинное значение",
    "bad_timestamp": "неверное время",
    "outside_window": "другой день",
    "forbidden_character": "запрещённый символ",
    "duplicate_key": "повтор ключа",
    "forgotten_learner": "данные юзера удалены",
}


def number(value: Decimal | int | None, digits: int = DECIMALS) -> str:
    """``1234.5`` as ``1 234,5``: at most ``digits`` decimals, halves away from 0; None as a dash.

    The spaces of all texts here are no-break spaces.
    """
    if value is None or not Decimal(value).is_finite():
        return NO_VALUE
    # Babel rounds halves to even, writes −0, and has the hyphen as Russian's minus.
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) + 0
    decimals = "#" * digits
    return format_decimal(rounded, f"#,##0.{decimals};{_MINUS}#,##0.{decimals}", _RUSSIAN)


def shown(seen: Cell) -> str:
    """What readers see of a value: ``57,9 %``, ``03:10``, a number, a text; None as a dash."""
    if isinstance(seen, str):
        return seen or NO_VALUE
    if isinstance(seen, dt.time):
        return f"{seen:%H:%M}"
    if isinstance(seen, Percent):
        value = Decimal(repr(float(seen)))
        return f"{_signed(value) if isinstance(seen, Change) else number(value)}{_NBSP}%"
    return number(seen)


def change(
    value: Decimal | int | None, before: Decimal | int | None, unit: str | None = None
) -> str | None:
    """How ``value`` differs from ``before``: ``+313 (+14,2 %)``; a dash if either is unknown.

    A share differs by points: ``+3,2 п.п.``. None for what is not compared: times of the day, and
    changes.
    """
    known = unit_of(unit)
    if known not in {Unit.COUNT, Unit.NUMBER, Unit.PERCENT}:
        return None
    if value is None or before is None:
        return NO_VALUE
    difference = Decimal(value) - Decimal(before)
    if known is Unit.PERCENT:
        return f"{_signed(difference)}{_NBSP}п.п."
    if not before:
        return _signed(difference)
    return f"{_signed(difference)} ({_signed(100 * difference / abs(Decimal(before)), 1)}{_NBSP}%)"


def share(part: int, whole: int) -> str:
    """``part`` of ``whole`` in per cent, ``3,1 %``; a dash if ``whole`` is 0."""
    return f"{number(Decimal(100 * part) / whole, 1)}{_NBSP}%" if whole else NO_VALUE


def date(day: dt.date) -> str:
    """``31.05.2023``."""
    return format_date(day, "short", _RUSSIAN)


def short_date(day: dt.date) -> str:
    """``ср 31.05``."""
    return format_date(day, f"EE{_NBSP}dd.MM", _RUSSIAN)


def dates(days: Iterable[dt.date]) -> str:
    """Days in few words, neighbours as ranges: ``01.05.2023–03.05.2023, 07.05.2023``."""
    ranges: list[list[dt.date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][1] == dt.timedelta(days=1):
            ranges[-1][1] = day
        else:
            ranges.append([day, day])
    return ", ".join(date(a) if a == b else f"{date(a)}–{date(b)}" for a, b in ranges)


def counted(count: int, one: str, few: str, many: str) -> str:
    """The number with its noun: ``1 день``, ``3 дня``, ``11 дней``."""
    noun = {"one": one, "few": few}.get(_RUSSIAN.plural_form(count), many)
    return f"{number(count)}{_NBSP}{noun}"


def reason(word: str) -> str:
    """A quarantine reason in Russian. An unknown word stays as it is."""
    return _REASONS.get(word, word)


def _signed(value: Decimal, digits: int = DECIMALS) -> str:
    text = number(value, digits)
    return text if value < 0 or text == "0" else f"+{text}"

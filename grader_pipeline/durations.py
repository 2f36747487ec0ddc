"""How long things are kept: ``90 days``, ``12 months``, ``3 years``."""

import calendar
import datetime as dt
import re
from typing import NamedTuple

_FORM = re.compile(r"([1-9]\d{0,3}) +(day|month|year)s?", re.ASCII)


class Duration(NamedTuple):
    """A time of the calendar: months, and then days."""

    months: int = 0
    days: int = 0

    def before(self, date: dt.date) -> dt.date:
        """The day so long before ``date``. A day that its month lacks is that month's last one.

        No day is before the year 1.
        """
        months = max(date.year * 12 + date.month - 1 - self.months, 12)
        year, month = divmod(months, 12)
        day = min(date.day, calendar.monthrange(year, month + 1)[1])
        found = dt.date(year, month + 1, day)
        return dt.date.fromordinal(max(found.toordinal() - self.days, 1))

    def __str__(self) -> str:
        number, unit = (self.days, "day") if self.days else (self.months, "month")
        if unit == "month" and not number % 12:
            number, unit = number // 12, "year"
        return f"{number} {unit}{'s' if number != 1 else ''}"


def duration(text: str) -> Duration:
    """The duration that a text writes. Raises ValueError, which says the form."""
    match = _FORM.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError("write a duration as 90 days, 12 months or 3 years")
    number = int(match[1])
    if match[2] == "day":
        return Duration(days=number)
    return Duration(months=number * (12 if match[2] == "year" else 1))

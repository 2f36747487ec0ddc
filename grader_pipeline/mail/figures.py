"""Figures that are shown large: a value, and how it differs from an earlier one."""

from decimal import Decimal

from grader_pipeline.mail.message import Direction, Figure
from grader_pipeline.mail.words import days as words
from grader_pipeline.reports.russian import change, shown
from grader_pipeline.reports.units import cell

_ARROWS: dict[Direction, str] = {"up": "▲", "down": "▼"}


def figure(
    label: str,
    value: Decimal | int | None,
    unit: str | None,
    before: Decimal | int | None,
    against: str,
    text: str | None = None,
) -> Figure:
    """A figure beside an earlier one. ``against`` names when that was: a day, a week.

    A share differs by points. What is no count, number or share has no change.
    """
    seen = shown(cell(value, unit, text))
    how = change(value, before, unit)
    if how is None or value is None or before is None:
        return Figure(label, seen)
    if value == before:
        return Figure(label, seen, words.unchanged(against), "same")
    direction: Direction = "up" if value > before else "down"
    return Figure(label, seen, words.compared(f"{_ARROWS[direction]} {how}", against), direction)


def arrow(value: Decimal | int | None, before: Decimal | int | None, unit: str) -> str:
    """A value with its change, for a cell of a table."""
    seen = shown(cell(value, unit, None))
    how = change(value, before, unit)
    if how is None or value is None or before is None or value == before:
        return seen
    signs = how.partition(" (")[0]
    return f"{seen} {_ARROWS['up' if value > before else 'down']}{signs}"


def percent(part: Decimal | int | None, whole: Decimal | int | None) -> Decimal | None:
    """A share in per cent with one decimal. None if it is not known."""
    if part is None or not whole:
        return None
    return round(Decimal(100 * part) / Decimal(whole), 1)

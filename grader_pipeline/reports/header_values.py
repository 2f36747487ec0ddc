"""The values of the keys in a report's header: what they mean, and how they are written."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

MAIN = "main"
"""``-- sheet: main``: the report of GOOGLE_SHEETS_WORKSHEET. ``sheet/table.py`` lays it out."""

_DAYS = re.compile(r"([1-9]\d{0,3}) days?")
_PICTURE = re.compile(
    r"(?P<kind>line|bar|heat)(?: (?:x=(?P<x>\S+)|y=(?P<y>\S+)|by=(?P<by>\S+)"
    r"|only=(?P<column>[^\s:]+):(?P<values>\S+)|days=(?P<days>[1-9]\d*)|top=(?P<top>[1-9]\d*)))+"
)


@dataclass(frozen=True)
class ChartColumns:
    """What the chart beside a worksheet's table shows."""

    kind: Literal["line", "bar"]
    x: str
    y: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """What a report's picture shows."""

    kind: Literal["line", "bar", "heat"]
    x: str
    y: tuple[str, ...]
    by: str | None = None
    """A line or bar for each value of this column. In a heat map: its rows."""
    only: tuple[str, tuple[str, ...]] | None = None
    """A column, and those of its values that are in the picture."""
    days: int = 1
    """How many days the picture has. The report's day is the last one."""
    top: int | None = None
    """At most so many bars, those with the smallest values; None: all."""


class Plot(NamedTuple):
    """A report of which each line is a metric: the columns of its values and of their names."""

    value: str
    by: str


class Units(NamedTuple):
    """A report with a column of values: their column, that of their units, that of texts."""

    value: str
    unit: str
    """Its values are those of ``units.Unit``."""
    text: str
    """What readers see in place of a value, if there is a text."""


def _days(text: str, wanted: str) -> int:
    if not (found := _DAYS.fullmatch(text)):
        raise ValueError(f"`{text}` is not {wanted}.")
    return int(found[1])


def read_sheet(text: str) -> object:
    """``yes``, ``main``, ``no``, or the newest days."""
    if text in {"yes", MAIN}:
        return text
    return None if text == "no" else _days(text, "yes, no, or the newest days, as in `28 days`")


def read_history(text: str) -> object:
    """The days that a report reads, or ``all``."""
    return None if text == "all" else _days(text, "days, as in `28 days`, or all")


def read_picture(text: str | Picture, key: str = "picture") -> Picture:
    """What a picture shows."""
    if isinstance(text, Picture):
        return text
    found = _PICTURE.fullmatch(" ".join(text.split()))
    named = found and found["x"] and found["y"] and (found["by"] or found["kind"] != "heat")
    if not found or not named:
        raise ValueError(
            f"a {key} is written as `line|bar|heat x=column y=column,column`, and for pictures "
            "`by=column only=column:value,value days=28 top=20`."
        )
    return Picture(
        found["kind"],  # type: ignore[arg-type]
        found["x"], tuple(found["y"].split(",")), found["by"],
        (found["column"], tuple(found["values"].split(","))) if found["column"] else None,
        int(found["days"] or 1), int(found["top"]) if found["top"] else None,
    )  # fmt: skip


def read_chart(text: str) -> ChartColumns:
    """What a chart shows."""
    picture = read_picture(text, "chart")
    if picture.kind == "heat" or picture.by or picture.only or picture.top:
        raise ValueError("a chart is a line or bar of columns. Give the rest as `picture`.")
    return ChartColumns(picture.kind, picture.x, picture.y)


def read_plot(text: str) -> Plot:
    """``column by column``."""
    if not (found := re.fullmatch(r"(\w+) by (\w+)", text)):
        raise ValueError("a plot is written as `column by column`, such as `value by metric`.")
    return Plot(found[1], found[2])


def read_units(text: str) -> Units:
    """``column by column or column``."""
    if not (found := re.fullmatch(r"(\w+) by (\w+) or (\w+)", text)):
        raise ValueError("units are written as `column by column or column`: value, unit, text.")
    return Units(*found.groups())


class Unusual(NamedTuple):
    """When a cell of a column is unusual, so that the sheet marks it."""

    kind: Literal["below", "above", "text"]
    bound: float | str


def read_unusual(text: str | Unusual) -> Unusual:
    """``below 20``, ``above 50``, or ``text …`` for texts that have it in them."""
    if isinstance(text, Unusual):
        return text
    if found := re.fullmatch(r"(below|above) (-?\d+(?:\.\d+)?)", text):
        return Unusual(found[1], float(found[2]))  # type: ignore[arg-type]
    if found := re.fullmatch(r"text (\S.*)", text):
        return Unusual("text", found[1])
    raise ValueError("what is unusual is written as `below 20`, `above 50`, or `text …`.")


def read_place(text: str | int) -> int:
    """A whole number from 1: the place of a worksheet among the others."""
    if isinstance(text, int):
        return text
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise ValueError(f"`{text}` is no whole number from 1 to 9999.")
    return int(text)


def read_names(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Names of columns, with commas between them."""
    return text if isinstance(text, tuple) else tuple(re.findall(r"[^\s,]+", text))

"""What a file of ``sql/reports`` defines. ``header.py`` and ``report_files.py`` read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from grader_pipeline.statements import SQL

MAIN = "main"
"""``-- sheet: main``: the report of GOOGLE_SHEETS_WORKSHEET. ``sheet/table.py`` lays it out."""

CHART_WORKSHEET = "Динамика"
"""The worksheet with the chart of the main metrics. No report can have it as title."""

Row = dict[str, Any]
"""A line of a report's table, by column."""

_DAYS = re.compile(r"([1-9]\d{0,3}) days?")
_PICTURE = re.compile(
    r"(?P<kind>line|bar|heat)(?: (?:x=(?P<x>\S+)|y=(?P<y>\S+)|by=(?P<by>\S+)"
    r"|only=(?P<column>[^\s:]+):(?P<values>\S+)|days=(?P<days>[1-9]\d*)|top=(?P<top>[1-9]\d*)))+"
)
_LONGEST_TITLE = 31


class ReportError(Exception):
    """What is wrong with a report's file. The text names the file and, if known, the line."""


def place(path: Path, line: int | None = None) -> str:
    """Name a file in an error: ``sql/reports/x.sql, line 3``; the whole path of one elsewhere."""
    name = path.relative_to(SQL.parent) if path.is_relative_to(SQL) else path
    return f"{name}, line {line}" if line else str(name)


@dataclass(frozen=True)
class Label:
    """The heading of a column. ``of`` is the column that counts the learners behind a share."""

    text: str
    of: str | None = None


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


def _days(text: str, wanted: str) -> int:
    if not (found := _DAYS.fullmatch(text)):
        raise ValueError(f"`{text}` is not {wanted}.")
    return int(found[1])


def _sheet(text: str) -> object:
    if text in {"yes", MAIN}:
        return text
    return None if text == "no" else _days(text, "yes, no, or the newest days, as in `28 days`")


def _history(text: str) -> object:
    return None if text == "all" else _days(text, "days, as in `28 days`, or all")


def _picture(text: str | Picture, key: str = "picture") -> Picture:
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


def _chart(text: str) -> ChartColumns:
    picture = _picture(text, "chart")
    if picture.kind == "heat" or picture.by or picture.only or picture.top:
        raise ValueError("a chart is a line or bar of columns. Give the rest as `picture`.")
    return ChartColumns(picture.kind, picture.x, picture.y)


class Report(BaseModel):
    """One file of ``sql/reports``. With a ``problem`` it has no header, and cannot be run.

    What its header says is validated from the header's texts.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    path: Path
    title: str = ""
    description: str = ""
    sheet: Annotated[int | Literal["yes", "main"] | None, BeforeValidator(_sheet)] = None
    """The newest days that its worksheet shows, or all ("yes"). None: it stays in the database."""
    columns: Mapping[str, Label] = {}
    """The labelled columns. If there are any, only they are shown."""
    chart: Annotated[ChartColumns | None, BeforeValidator(_chart)] = None
    picture: Annotated[Picture | None, BeforeValidator(_picture)] = None
    history: Annotated[int | None, BeforeValidator(_history)] = 1
    """How many days it reads, its own included. None: all days up to it."""
    lines: Mapping[str, int] = {}
    """The line of each of the header's keys; ``column x`` for ``column x of y``."""
    about: str = ""
    """What the report means, in English: the comment below the header, as plain text."""
    query: str = ""
    """The file without its header. The header's lines are empty, so line numbers are the file's."""
    problem: str | None = None

    @model_validator(mode="after")
    def _worksheet_has_title(self) -> "Report":
        fits = 0 < len(self.title) <= _LONGEST_TITLE and not set(self.title) & set("[]:*?/\\'")
        if self.sheet and not fits:
            raise ValueError(
                f"the worksheet needs a `title` of at most {_LONGEST_TITLE} signs, none of them "
                "[]:*?/\\'."
            )
        return self

    @property
    def named_columns(self) -> list[tuple[int, str]]:
        """The columns of the query that the header names, each with its line in the file."""
        named = {
            (self.lines[f"column {name}"], part)
            for name, label in self.columns.items()
            for part in (name, label.of)
        }
        if chart := self.chart:
            named |= {(self.lines["chart"], name) for name in (chart.x, *chart.y)}
        if picture := self.picture:
            names = (picture.x, *picture.y, picture.by, picture.only and picture.only[0])
            named |= {(self.lines["picture"], name) for name in names}
        return sorted((line, name) for line, name in named if name and name != "report_date")

"""What a file of ``sql/reports`` defines. ``header.py`` and ``report_files.py`` read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from grader_pipeline.reports.behind import Behind, read_behind
from grader_pipeline.statements import SQL

MAIN = "main"
"""``-- sheet: main``: the report of GOOGLE_SHEETS_WORKSHEET. ``sheet/table.py`` lays it out."""

CHART_WORKSHEET = "Динамика"
"""The worksheet with the chart of the main metrics. No report can have it as title."""

TODAY_WORKSHEET = "Сегодня"
"""The worksheet with the newest day at one glance. No report can have it as title."""

NAMES_WORKSHEET = "Названия"
"""The worksheet on which readers name courses and tasks. No report can have it as title."""

OTHERS = "прочие"
"""What a merged line has in place of a name."""

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


WHOLE_DAY = "day"
"""``of day``: the column is a total of the whole day, not a figure of a group of learners."""


@dataclass(frozen=True)
class ReportColumn:
    """A column that a report shows, as its header declares it."""

    kind: Literal["dimension", "learners", "sum", "column"]
    text: str
    """Its heading, in Russian."""
    of: str | None = None
    """The count of learners whom a figure is about, or WHOLE_DAY. A count: whose subset it is."""
    listed_in: str | None = None
    """Of a count: the query's column with the numbers of its learners if they are few."""
    parents: tuple[str, ...] = ()
    """Of the breakdown: the dimensions within which its lines are merged."""


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


def _plot(text: str) -> Plot:
    if not (found := re.fullmatch(r"(\w+) by (\w+)", text)):
        raise ValueError("a plot is written as `column by column`, such as `value by metric`.")
    return Plot(found[1], found[2])


def _units(text: str) -> Units:
    if not (found := re.fullmatch(r"(\w+) by (\w+) or (\w+)", text)):
        raise ValueError("units are written as `column by column or column`: value, unit, text.")
    return Units(*found.groups())


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
    columns: Mapping[str, ReportColumn] = {}
    """The columns that are shown, in this order. What is not declared stays in the database."""
    plot: Annotated[Plot | None, BeforeValidator(_plot)] = None
    """What Dagster plots over the days; ``by`` is also how a metric is found."""
    units: Annotated[Units | None, BeforeValidator(_units)] = None
    """The column whose values have units, one for each line."""
    formerly: Mapping[str, tuple[str, ...]] = {}
    """Former labels of a column or a metric: a sheet may still have them."""
    behind: Mapping[str, Annotated[Behind, BeforeValidator(read_behind)]] = {}
    """For ``trace``: which attempts are behind a column or a metric, if not all of ``history``."""
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
    def base(self) -> str | None:
        """The count of the learners whom a line is about. None: no line is about a group."""
        counts = (n for n, c in self.columns.items() if c.kind == "learners" and not c.of)
        return next(counts, None)

    @property
    def breakdown(self) -> str | None:
        """The dimension whose lines are merged: the one with parents, or the only one."""
        names = [name for name, column in self.columns.items() if column.kind == "dimension"]
        return max(names, key=lambda name: len(self.columns[name].parents), default=None)

    @property
    def named_columns(self) -> list[tuple[int, str]]:
        """The columns of the query that the header names, each with its line in the file."""
        named = {
            (self.lines[f"column {name}"], part)
            for name, column in self.columns.items()
            for part in (name, column.listed_in)
        }
        if chart := self.chart:
            named |= {(self.lines["chart"], name) for name in (chart.x, *chart.y)}
        if picture := self.picture:
            names = (picture.x, *picture.y, picture.by, picture.only and picture.only[0])
            named |= {(self.lines["picture"], name) for name in names}
        if self.plot:
            named |= {(self.lines["plot"], name) for name in self.plot}
        else:
            named |= {(self.lines[f"behind {name}"], name) for name in self.behind}
        if self.units:
            named |= {(self.lines["units"], name) for name in self.units}
        return sorted((line, name) for line, name in named if name and name != "report_date")

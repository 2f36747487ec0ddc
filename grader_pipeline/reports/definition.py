"""What a file of ``sql/reports`` defines. ``header.py`` and ``report_files.py`` read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from grader_pipeline.reports.behind import Behind, read_behind
from grader_pipeline.reports.header_values import (
    ChartColumns,
    Picture,
    Plot,
    Units,
    Unusual,
    read_chart,
    read_history,
    read_names,
    read_picture,
    read_place,
    read_plot,
    read_sheet,
    read_units,
    read_unusual,
)
from grader_pipeline.statements import SQL

CHART_WORKSHEET = "Динамика"
"""The worksheet with the chart of the main metrics. No report can have it as title."""

TODAY_WORKSHEET = "Сегодня"
"""The worksheet with the newest day at one glance. No report can have it as title."""

NAMES_WORKSHEET = "Названия"
"""The worksheet on which readers name courses and tasks. No report can have it as title."""

OTHERS = "прочие"
"""What a merged line has in place of a name."""

USUAL_TAB = 500
"""The place of a worksheet whose report does not name one."""

Row = dict[str, Any]
"""A line of a report's table, by column."""

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


class Report(BaseModel):
    """One file of ``sql/reports``. With a ``problem`` it has no header, and cannot be run.

    What its header says is validated from the header's texts.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    path: Path
    title: str = ""
    description: str = ""
    sheet: Annotated[int | Literal["yes", "main"] | None, BeforeValidator(read_sheet)] = None
    """The newest days that its worksheet shows, or all ("yes"). None: it stays in the database."""
    columns: Mapping[str, ReportColumn] = {}
    """The columns that are shown, in this order. What is not declared stays in the database."""
    plot: Annotated[Plot | None, BeforeValidator(read_plot)] = None
    """What Dagster plots over the days; ``by`` is also how a metric is found."""
    units: Annotated[Units | None, BeforeValidator(read_units)] = None
    """The column whose values have units, one for each line."""
    formerly: Mapping[str, tuple[str, ...]] = {}
    """Former labels of a column or a metric: a sheet may still have them."""
    behind: Mapping[str, Annotated[Behind, BeforeValidator(read_behind)]] = {}
    """For ``trace``: which attempts are behind a column or a metric, if not all of ``history``."""
    unit: Mapping[str, str] = {}
    """The unit of a column's values: a word of ``units.Unit``. Without one they are numbers."""
    unusual: Mapping[str, Annotated[Unusual, BeforeValidator(read_unusual)]] = {}
    """When a cell of a column is marked on the worksheet."""
    tab: Annotated[int, BeforeValidator(read_place)] = USUAL_TAB
    """The place of its worksheet: the smallest is leftmost."""
    details: Annotated[tuple[str, ...], BeforeValidator(read_names)] = ()
    """Columns that the worksheet has folded away when it is new."""
    chart: Annotated[ChartColumns | None, BeforeValidator(read_chart)] = None
    picture: Annotated[Picture | None, BeforeValidator(read_picture)] = None
    history: Annotated[int | None, BeforeValidator(read_history)] = 1
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

    @cached_property
    def base(self) -> str | None:
        """The count of the learners whom a line is about. None: no line is about a group."""
        counts = (n for n, c in self.columns.items() if c.kind == "learners" and not c.of)
        return next(counts, None)

    @cached_property
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

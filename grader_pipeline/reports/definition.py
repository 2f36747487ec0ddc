"""What a file of ``sql/reports`` defines. How it is read is told in ``files.py``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

MAIN = "main"
"""``-- sheet: main``: the report of GOOGLE_SHEETS_WORKSHEET, which ``report/table.py`` lays out."""

CHART_WORKSHEET = "Динамика"
"""The worksheet with the chart of the main metrics. No report can have it as title."""


class ReportError(Exception):
    """What is wrong with a report's file, told with the file's name and line."""


@dataclass(frozen=True)
class Drawing:
    """A picture of a report's rows: which column is what."""

    kind: Literal["line", "bar", "heat"]
    x: str
    y: tuple[str, ...]
    by: str | None = None
    """A line or bar for each value of this column; a heat map's rows."""
    only: tuple[str, tuple[str, ...]] | None = None
    """A column, and the values of it that are drawn."""
    days: int = 1
    """The days drawn, the last one being the report's."""
    top: int | None = None
    """How many bars at most: those with the smallest values."""


@dataclass(frozen=True)
class Label:
    """How a column is headed, and which other one counts the learners it is a share of."""

    text: str
    of: str | None = None


@dataclass(frozen=True)
class Report:
    """One file of ``sql/reports``. With a ``problem`` it has nothing else, and cannot be run."""

    name: str
    path: Path
    title: str = ""
    description: str = ""
    sheet: int | Literal["all", "main"] | None = None
    """The newest days its worksheet shows; None: it stays in the database."""
    columns: Mapping[str, Label] = field(default_factory=dict)
    chart: Drawing | None = None
    picture: Drawing | None = None
    history: int | None = 1
    """Days read, its own included; None: all days up to it."""
    query: str = ""
    """The file without its header, whose lines are left empty: line numbers stay the file's."""
    problem: str | None = None

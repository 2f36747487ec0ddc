"""The reports of ``sql/reports``: a file each, which is all there is to a report.

``sql/reports/NAME.sql`` is one query about one day. Its rows fill the day's part of the table NAME,
as ``report_date`` and the query's columns. Parameters are bound: ``report_date`` (the day),
``day_start`` and ``day_end`` (its half-open window in UTC), ``timezone`` (the school's).

The comment block on top, up to its first empty line, tells the rest, a line each::

    -- title: Задания                        the worksheet's name
    -- description: …                        a sentence for readers
    -- sheet: yes                            or 28 days, 1 day: the newest of them;
                                             no, or nothing: it stays in the database
    -- column solved: Решили задание         label; with labels, only these columns are shown
    -- column share of tried: …              blank where `tried` counts fewer than five learners
    -- chart: bar x=task y=solved            beside the worksheet's table; bar or line
    -- picture: heat x=hour by=report_date y=attempts days=28
                                             in the Dagster UI and the page; the chart if absent
    -- history: 28 days                      how far back it reads, its own day included; or all

Rows are shown in the order of the table's columns, days newest first. A column named ``learners``
counts the learners whom a row is about: a row about one to four of them is not shown.

Here is how a file is read. How its table is kept is told in ``tables.py``.
"""

import logging
import re
from pathlib import Path
from typing import Literal
from zlib import crc32

from dagster._core.definitions.utils import DISALLOWED_NAMES

from grader_pipeline.reports.definition import MAIN, Drawing, Label, Report, ReportError
from grader_pipeline.resources.migrations import relations
from grader_pipeline.statements import files

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_KEY = re.compile(r"-- ([a-z_][a-z0-9_ ]*):(?:\s+(.*))?")
_COLUMN = re.compile(r"column ([a-z_][a-z0-9_]*)(?: of ([a-z_][a-z0-9_]*))?")
_DAYS = re.compile(r"([1-9]\d{0,3}) days?")
_PARAMETER = re.compile(r"%\((\w+)\)s")
_KNOWN_PARAMETERS = {"report_date", "day_start", "day_end", "timezone"}
_LONGEST_TITLE = 31
_ASSETS = {"raw_attempts", "validated_attempts", "grader_table", "metrics", "sheet_report"}
_SHEETS_OF_OURS = ("Динамика",)


def reports() -> list[Report]:
    """The reports, in the order of their names. A file that is wrong stops no other."""
    found: list[Report] = []
    taken = set(_SHEETS_OF_OURS)
    for path in files("reports"):
        try:
            report = read_report(path)
        except ReportError as error:
            name = (
                path.stem if _can_be_named(path.stem) else f"misnamed_{crc32(path.name.encode())}"
            )
            report = Report(name, path, problem=str(error))
        if report.sheet and report.title in taken:
            same = f"{_where(path)}: another worksheet is named «{report.title}»."
            report = Report(report.name, path, problem=same)
        if report.problem:
            log.warning("%s", report.problem)
        taken |= {report.title} if report.sheet else set()
        found.append(report)
    return found


def read_report(path: Path) -> Report:
    """Read a report's file. Raises ReportError."""
    if not _can_be_named(path.stem):
        raise ReportError(
            f"{_where(path)}: a report cannot be named so. Use small Latin letters, digits and _, "
            "and no name of another asset or table, nor a word of Python's."
        )
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ReportError(f"{_where(path)}: not UTF-8.") from error
    header: list[tuple[int, str, str]] = []
    end = 0
    for end, line in enumerate(lines):
        if not (found := _KEY.fullmatch(line.rstrip())):
            break
        header.append((end + 1, found[1], found[2] or ""))
    if end < len(lines) and lines[end].startswith("-- ") and header:
        raise ReportError(
            f"{_where(path, end + 1)}: not `-- key: value`. End the header with an empty line or "
            "with `--`."
        )
    body = lines[len(header) :]
    query = "\n" * len(header) + re.sub(r";\s*\Z", "", "\n".join(body))
    _check_parameters(path, query)
    read = _Header(path)
    for number, key, value in header:
        read.take(number, key, value)
    return read.report(query)


class _Header:
    """The header of one file, key by key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: dict[str, tuple[int, str]] = {}
        self.columns: dict[str, Label] = {}

    def take(self, number: int, key: str, value: str) -> None:
        """Take a line. Raises ReportError for one that means nothing."""
        if column := _COLUMN.fullmatch(key):
            self.columns[column[1]] = Label(value, column[2])
        elif key not in {"title", "description", "sheet", "chart", "picture", "history"}:
            raise ReportError(f"{_where(self.path, number)}: unknown key `{key}`.")
        elif key in self.values:
            raise ReportError(f"{_where(self.path, number)}: a second `{key}`.")
        self.values[key] = (number, value.strip())
        if not value.strip():
            raise ReportError(f"{_where(self.path, number)}: `{key}` says nothing.")

    def report(self, query: str) -> Report:
        """Put the report together. Raises ReportError for a value that cannot be."""
        number, title = self.values.get("title", (1, ""))
        sheet = self._sheet()
        if sheet and (not title or len(title) > _LONGEST_TITLE or set(title) & set("[]:*?/\\'")):
            raise ReportError(
                f"{_where(self.path, number)}: the worksheet needs a `title` of at most "
                f"{_LONGEST_TITLE} signs, none of them []:*?/\\'."
            )
        chart = self._drawing("chart")
        if chart and (chart.kind == "heat" or chart.by or chart.only or chart.top):
            raise ReportError(
                f"{_where(self.path, self.values['chart'][0])}: a chart is a line or bar of "
                "columns; say the rest as `picture`."
            )
        return Report(
            self.path.stem, self.path, title, self.values.get("description", (1, ""))[1], sheet,
            self.columns, chart, self._drawing("picture") or chart, self._history(), query,
        )  # fmt: skip

    def _sheet(self) -> int | Literal["all", "main"] | None:
        number, value = self.values.get("sheet", (1, "no"))
        if value in {"no", "yes", MAIN}:
            return {"no": None, "yes": "all", MAIN: "main"}[value]
        return self._days(number, value, "yes, no, or the newest days, as in `28 days`")

    def _history(self) -> int | None:
        number, value = self.values.get("history", (1, "1 day"))
        if value == "all":
            return None
        return self._days(number, value, "days, as in `28 days`, or all")

    def _days(self, number: int, value: str, wanted: str) -> int:
        if not (found := _DAYS.fullmatch(value)):
            raise ReportError(f"{_where(self.path, number)}: `{value}` is not {wanted}.")
        return int(found[1])

    def _drawing(self, key: str) -> Drawing | None:
        if key not in self.values:
            return None
        number, value = self.values[key]
        kind, *words = value.split()
        parts = dict(word.split("=", 1) for word in words if "=" in word)
        numbers = [parts.get("days", "1"), parts.get("top", "1")]
        column, _, values = parts.get("only", "").partition(":")
        right = (
            kind in {"line", "bar", "heat"} and len(parts) == len(words)
            and {"x", "y"} <= set(parts) <= {"x", "y", "by", "only", "days", "top"}
            and all(text.isdecimal() and text != "0" for text in numbers)
            and (kind != "heat" or "by" in parts) and ("only" not in parts or (column and values))
        )  # fmt: skip
        if not right:
            raise ReportError(
                f"{_where(self.path, number)}: a {key} is written as `line|bar|heat x=column "
                "y=column,column`, and for pictures `by=column only=column:value,value days=28 "
                "top=20`."
            )
        return Drawing(
            kind, parts["x"], tuple(parts["y"].split(",")), parts.get("by"),  # type: ignore[arg-type]
            (column, tuple(values.split(","))) if column else None,
            int(numbers[0]), int(parts["top"]) if "top" in parts else None,
        )  # fmt: skip


def _check_parameters(path: Path, query: str) -> None:
    """See that the query speaks of a day, and that every other per cent sign is doubled."""
    used = set(_PARAMETER.findall(query))
    for number, line in enumerate(query.split("\n"), start=1):
        unknown = set(_PARAMETER.findall(line)) - _KNOWN_PARAMETERS
        if unknown:
            raise ReportError(f"{_where(path, number)}: no parameter is named {min(unknown)}.")
        if "%" in _PARAMETER.sub("", line).replace("%%", ""):
            raise ReportError(f"{_where(path, number)}: write a per cent sign twice, as %%.")
    if not used & {"report_date", "day_start"}:
        raise ReportError(
            f"{_where(path)}: the query asks for no day. Use %(report_date)s, or %(day_start)s "
            "and %(day_end)s."
        )


def _can_be_named(name: str) -> bool:
    """Whether an asset and a table can have that name, and nothing else has it."""
    tables = relations().keys() - {"daily_metrics"}
    return bool(_NAME.fullmatch(name)) and name not in _ASSETS | tables | DISALLOWED_NAMES


def _where(path: Path, line: int | None = None) -> str:
    return f"sql/reports/{path.name}" + (f", line {line}" if line else "")

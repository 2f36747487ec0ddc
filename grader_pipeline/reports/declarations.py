"""How a report's header declares columns: what each of them is, and whose figure.

``privacy.py`` decides by it what may be shown. A declaration that does not say enough is an error
that says what to write.
"""

import re
from collections.abc import Collection, Iterator

from grader_pipeline.reports.definition import WHOLE_DAY, Report, ReportColumn, ReportError, place
from grader_pipeline.reports.units import Unit

_NAME = r"[a-z_][a-z0-9_]*"
_FORMS = {
    "dimension": f"(?P<name>{_NAME})(?: in (?P<parents>{_NAME}(?:, *{_NAME})*))?",
    "learners": f"(?P<name>{_NAME})(?: of (?P<of>{_NAME}))?(?: listed in (?P<listed_in>{_NAME}))?",
    "sum": f"(?P<name>{_NAME}) of (?P<of>{_NAME})",
    "column": f"(?P<name>{_NAME}) of (?P<of>{_NAME})",
}
_UNITS = (Unit.PERCENT, Unit.CHANGE, Unit.CLOCK, Unit.HOUR)
"""Those of a column whose values all have one unit."""

_HOW = (
    "Write `dimension NAME: …` for what names a line (the one of several that is broken down: "
    "`dimension NAME in PARENT, PARENT: …`), `learners NAME: …` or `learners NAME of COUNT: …` for "
    "a count of learners, `sum NAME of COUNT: …` for a count of their attempts, `column NAME of "
    "COUNT: …` for another figure of theirs, `column NAME of day: …` for a total of the whole day."
)


def read_declaration(key: str, text: str) -> tuple[str, ReportColumn] | None:
    """The name of the column that a header's key declares, and what it is; None for another key.

    Raises ValueError if the key does not say enough.
    """
    kind, _, rest = key.partition(" ")
    if kind not in _FORMS or not rest:
        return None
    found = re.fullmatch(_FORMS[kind], rest)
    if not found:
        raise ValueError(f"`{key}` does not say what the column is. {_HOW}")
    parts = found.groupdict()
    parents = tuple(re.findall(_NAME, parts.get("parents") or ""))
    listed_in = parts.get("listed_in")
    column = ReportColumn(kind, text, parts.get("of"), listed_in, parents)  # type: ignore[arg-type]
    return parts["name"], column


def check_declarations(report: Report) -> None:
    """Raises ReportError, with file and line, if the columns do not fit each other."""
    for key, problem in _problems(report):
        raise ReportError(f"{place(report.path, report.lines.get(key))}: {problem}")


def group_of(report: Report, count: str | None) -> str | None:
    """The count of learners that this one is a part of, or itself. None if there is none."""
    seen: set[str] = set()
    while count and count in report.columns and count not in seen:
        seen.add(count)
        of = report.columns[count].of
        if of is None:
            return count
        count = of
    return None


def _problems(report: Report) -> Iterator[tuple[str, str]]:
    """The header's key that is wrong, and why."""
    columns = report.columns
    counts = {name for name, column in columns.items() if column.kind == "learners"}
    dimensions = [name for name, column in columns.items() if column.kind == "dimension"]
    broken_down = [name for name in dimensions if columns[name].parents]
    for name in columns:
        for problem in _problems_of_column(report, name, counts, dimensions):
            yield f"column {name}", problem
    if len(broken_down) > 1 or (len(dimensions) > 1 and not broken_down):
        key = f"column {(broken_down or dimensions)[-1]}"
        how = "Write only that one as `dimension NAME in PARENT, PARENT: …`."
        yield key, f"one of several dimensions is the one whose lines are merged. {how}"
    if dimensions and not report.base:
        key = f"column {dimensions[0]}"
        how = "Write `learners NAME: …` to count them."
        yield key, f"a dimension names groups of learners. {how}"
    if counts and not (dimensions and report.base):
        key = f"column {min(counts)}"
        how = f"Write `dimension NAME: …`, or `column NAME of {WHOLE_DAY}: …` for a total."
        yield key, f"a count of learners is about a line that a dimension names. {how}"
    for name in report.formerly:
        # A report with metrics has their names in its lines.
        if name not in columns and not report.plot:
            how = "Write `formerly NAME: …` of a declared column."
            yield f"formerly {name}", f"the column {name} is not declared. {how}"
    yield from _problems_of_looks(report)
    if report.sheet:
        yield from _problems_of_shown(report)


def _problems_of_looks(report: Report) -> Iterator[tuple[str, str]]:
    named = [(f"unit {name}", name) for name in report.unit]
    named += [(f"unusual {name}", name) for name in report.unusual]
    for key, name in [*named, *(("details", name) for name in report.details)]:
        if name not in report.columns:
            yield key, f"the column {name} is not declared. {_HOW}"
    for name, word in report.unit.items():
        if word not in _UNITS:
            yield f"unit {name}", f"`{word}` is not one of {', '.join(_UNITS)}."


def _problems_of_column(
    report: Report, name: str, counts: Collection[str], dimensions: Collection[str]
) -> Iterator[str]:
    column = report.columns[name]
    if name == WHOLE_DAY:
        yield f"`{WHOLE_DAY}` is the whole day. Give the query's column another name."
    for parent in column.parents:
        if parent not in dimensions or parent == name:
            yield f"`in {parent}` names no other dimension. Write `dimension {parent}: …`."
    of = column.of
    if of is None or (of == WHOLE_DAY and column.kind != "learners"):
        return
    if of not in counts or not group_of(report, of):
        yield (
            f"`of {of}` names no count of learners. Write `learners {of}: …` for one, or `column "
            f"{name} of {WHOLE_DAY}: …` for a total of the whole day."
        )
    if column.kind == "sum" and group_of(report, of) != report.base:
        yield (
            "a sum is of the learners whom the line is about: a cell that is blank for others is "
            f"the total minus the rest. Write `column {name} of {of}: …`."
        )


def _problems_of_shown(report: Report) -> Iterator[tuple[str, str]]:
    """The same, of a report that may be shown."""
    if not report.columns:
        yield "sheet", f"a worksheet shows only the columns that the header declares. {_HOW}"
    known = {*report.columns, "report_date"}
    drawn = {"chart": report.chart, "picture": report.picture}
    named = {key: [what.x, *what.y] for key, what in drawn.items() if what}
    if report.picture:
        named["picture"] += [name for name in (report.picture.by,) if name]
        named["picture"] += report.picture.only[:1] if report.picture.only else []
    if report.plot:
        named["plot"] = [report.plot.value]
        # The name of a metric is no figure. Where a line is a group, it would name the group.
        if not report.base:
            known.add(report.plot.by)
        named["plot"].append(report.plot.by)
    for key, names in named.items():
        for name in names:
            if name not in known:
                yield key, f"the column {name} is not declared, so it is not shown. {_HOW}"

"""docs/reports.md: what each report means, out of the files of sql/reports.

``make snapshot`` writes it. A test compares the page with what this gives.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader_pipeline.reports.definition import WHOLE_DAY, Report
from grader_pipeline.reports.report_files import reports
from grader_pipeline.small_groups import LEAST_LEARNERS
from grader_pipeline_tests.wheel import CHECKOUT

PAGE = CHECKOUT / "docs" / "reports.md"

_INTRODUCTION = f"""# Reports

This page is made from the files of `sql/reports` by `make snapshot`. Change those, not this page.
Each report is one query about one day: the file has it, below the header that is shown here.

A column of a worksheet is one of these:

- *dimension*: names a line, or a part of its name.
- *learners*: counts learners. The first one is whom the line is about, unless it is a part (*of*)
  of another count. Lines about fewer than {LEAST_LEARNERS} learners are merged.
- *sum*: an additive count of what those learners did.
- *figure*: any other figure of those learners. It is blank if they are fewer than {LEAST_LEARNERS}.
- *of the whole day*: a figure of everything on that day. It is always shown.

The column *kind* says which count of learners is behind a figure: its denominator, or whom it
describes. Columns that are not listed stay in the database. Former labels are those that
readers of a sheet may still have.
"""


def page(metrics: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The whole page, as Markdown.

    ``metrics`` has the lines of an empty day, in order, of each report whose lines are metrics.
    """
    sections = (_section(report, metrics.get(report.name, ())) for report in reports())
    return "\n".join([_INTRODUCTION, *(line for section in sections for line in section)])


def _section(report: Report, metrics: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"## {report.title or report.name}\n"
    yield f"`{report.name}`: {report.description}\n"
    yield f"{_shown(report)} {_read(report)}\n"
    yield f"{report.about}\n"
    if report.columns:
        yield "| column | kind | label | formerly |"
        yield "|---|---|---|---|"
        yield from (_line(report, name) for name in report.columns)
        yield ""
    if report.plot:
        yield "| line | label | unit | formerly |"
        yield "|---|---|---|---|"
        for metric in metrics:
            name = metric[report.plot.by]
            former = _labels(report.formerly.get(name, ()))
            unit = metric[report.units.unit] if report.units else ""
            yield f"| `{name}` | {_cell(metric['label'])} | {unit} | {former} |"
        yield "\nFurther lines are there on days that have something to say in them.\n"


def _shown(report: Report) -> str:
    match report.sheet:
        case None:
            return "It stays in the database."
        case int() as days:
            return f"Its worksheet shows {'the newest day' if days == 1 else f'{days} days'}."
        case _:
            return "Its worksheet shows all days."


def _read(report: Report) -> str:
    match report.history:
        case None:
            return "It reads all stored days up to its own."
        case 1:
            return "It reads its own day only."
        case days:
            return f"It reads {days} days, its own included."


def _line(report: Report, name: str) -> str:
    column = report.columns[name]
    if column.of == WHOLE_DAY:
        kind = "of the whole day"
    else:
        kind = {"column": "figure"}.get(column.kind, column.kind)
        kind += f" of `{column.of}`" if column.of else ""
        kind += f" in {', '.join(f'`{parent}`' for parent in column.parents)}" * bool(
            column.parents
        )
    former = _labels(report.formerly.get(name, ()))
    return f"| `{name}` | {kind} | {_cell(column.text)} | {former} |"


def _labels(labels: tuple[str, ...]) -> str:
    return "; ".join(f"«{_cell(label)}»" for label in labels)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

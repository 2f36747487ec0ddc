"""The reports' worksheets: rows of a report's table as a table of the sheet.

``table.py`` lays out the main report. Every other report has a worksheet with its title as name:
the day, the labelled columns, and the chart beside them.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from grader_pipeline.reports.definition import NAMES_WORKSHEET, Report, Row
from grader_pipeline.reports.header_values import MAIN
from grader_pipeline.reports.names import COURSE, LONGEST_NAME, TASK
from grader_pipeline.reports.privacy import columns_to_show
from grader_pipeline.reports.units import with_cells
from grader_pipeline.sheet.table import DAILY_COLUMNS, DATE, Chart, Column, Highlight, Table

_LEAST_TEXT, _MOST_TEXT = 130, 320
_LEAST_NUMBER, _MOST_NUMBER = 90, 170
_SIGN = 7.5
"""The width of a sign, in pixels, on average."""
_MARGIN = 18
_HEADER_LINES = 5
NAMES_TAB = 600
"""The place of the worksheet on which readers name courses and tasks."""

_WIDE = 9
"""A table with more columns keeps what names a line in view."""


def has_worksheet(report: Report) -> bool:
    """Whether the report has a worksheet of its own."""
    return report.sheet is not None and report.sheet != MAIN


def worksheet(
    report: Report,
    rows: Sequence[Row],
    days: Collection[dt.date],
    formerly: Mapping[str, tuple[str, ...]] | None = None,
) -> Table:
    """Lay out the worksheet of a report with these rows. ``rows`` are those of ``read_named``.

    A report that shows its newest days loses older ones from the sheet. If it shows one day, its
    lines go on to the next day: what readers have beside a task stays beside it. One that shows all
    days keeps each day that the sheet has, but for ``days``: they are stored, and their lines are
    ``rows``. ``formerly`` has what courses and tasks were called before (``Names.formerly``).
    """
    labels = columns_to_show(report)
    names = ["report_date", *labels]
    columns = [DATE, *(_column(report, name, rows) for name in labels)]
    dimensions = [name for name in labels if report.columns[name].kind == "dimension"]
    day = (0,) if report.sheet != 1 else ()
    named = names.index(report.breakdown) + 1 if report.breakdown else 1
    return Table(
        tuple(columns),
        tuple(tuple(row[name] for name in names) for row in with_cells(report, rows)),
        worksheet=report.title,
        chart=_chart(report, names),
        keeps_days=report.sheet == "yes",
        days=frozenset(days),
        named_by=(*day, *(map(names.index, dimensions) if dimensions else (1,))),
        formerly=(formerly or {}) if {COURSE, TASK} & set(dimensions) else {},
        highlights=tuple(
            Highlight(names.index(name), *unusual) for name, unusual in report.unusual.items()
        ),
        frozen=named if len(columns) > _WIDE else 0,
    )


def names_table(nameable: Sequence[Row]) -> Table:
    """Lay out the worksheet on which readers name courses and tasks: rows of ``read_nameable``."""
    columns = (
        Column("Курс", 330, wraps=True),
        Column("Задание (пусто — сам курс)", 290, wraps=True),
        Column(
            f"Название (только текст, до {LONGEST_NAME} знаков)", 420, by_readers=True, wraps=True
        ),
    )
    lines = tuple((row["course"], row["task"], row["name"]) for row in nameable)
    return Table(columns, lines, worksheet=NAMES_WORKSHEET, named_by=(0, 1))


def in_order_of_use(tables: Sequence[tuple[int, Table]]) -> list[Table]:
    """The tables by the place of their tab. Those of one place are in the order of their names."""
    return [table for _, table in sorted(tables, key=lambda t: (t[0], str(t[1].worksheet)))]


def _column(report: Report, name: str, rows: Sequence[Row]) -> Column:
    label = report.columns[name].text
    texts = [row[name] for row in rows if isinstance(row[name], str)]
    former = frozenset(report.formerly.get(name, ()))
    is_detail = name in report.details
    if texts and report.units is None:
        longest = max(map(len, texts))
        width = _between(_LEAST_TEXT, longest * _SIGN + _MARGIN, _MOST_TEXT)
        return Column(label, width, former, wraps=True, is_detail=is_detail)
    # Long enough for the longest word, and for the label in a few lines.
    word = max(map(len, label.split())) * _SIGN
    needed = max(word, len(label) * _SIGN / _HEADER_LINES) + _MARGIN
    width = _between(_LEAST_NUMBER, needed, _MOST_NUMBER)
    if report.units and name == report.units.value:
        return replace(DAILY_COLUMNS[2], label=label, former_labels=former)
    return Column(label, width, former, is_detail=is_detail)


def _between(least: float, width: float, most: float) -> int:
    return round(min(max(least, width), most))


def _chart(report: Report, names: Sequence[str]) -> Chart | None:
    wanted = report.chart
    if wanted is None or not {wanted.x, *wanted.y} <= set(names):
        return None
    return Chart(
        (report.description or report.title).removesuffix("."),
        wanted.kind,
        names.index(wanted.x),
        tuple(names.index(name) for name in wanted.y),
    )

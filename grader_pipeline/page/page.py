"""The reports of a period as one HTML page, in Russian. It shows what the sheet may show.

The metrics are shown day by day, with their trends; the other reports are those of the last day.
Everything is inside the page: it fetches nothing and has no script. It suits phones, paper and dark
mode.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.page.period import blocks, trends
from grader_pipeline.reports import pictures, russian
from grader_pipeline.reports.day_metrics import main_metrics
from grader_pipeline.reports.definition import Report, Row
from grader_pipeline.reports.header_values import MAIN
from grader_pipeline.reports.names import read_named
from grader_pipeline.reports.privacy import columns_to_show, may_be_shown
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.templating import templates_of
from grader_pipeline.reports.units import with_cells
from grader_pipeline.resources.postgres import Postgres

_MOST_ROWS = 60
_BROAD = 8
"""With more columns a table is printed across the paper."""


class NotStoredError(PermanentFailure):
    """No day of the period is stored."""


def write_report(postgres: Postgres, start: dt.date, end: dt.date, out: Path) -> int:
    """Write the page of the days from ``start`` to ``end``, both included, to ``out``.

    Returns how many of the days are stored. Raises PermanentFailure if the file cannot be written,
    and as :func:`page`.
    """
    html, days = page(postgres, start, end)
    try:
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise PermanentFailure(f"{out} cannot be written ({error.strerror or error}).") from error
    return days


def page(postgres: Postgres, start: dt.date, end: dt.date) -> tuple[str, int]:
    """The page of the days from ``start`` to ``end``, both included, and how many are stored.

    Raises NotStoredError if none is. Raises as :class:`Postgres` and :func:`reports` do.
    """
    if end < start:
        raise PermanentFailure(f"The period ends on {end}, before it begins on {start}.")
    span = (end - start).days + 1
    stored = _read(postgres, end, span)
    main, daily = next(found for found in stored if found[0].sheet == MAIN)
    days = sorted({row["report_date"] for row in daily})
    if not days:
        raise NotStoredError(
            f"No day from {start} to {end} is stored: materialize those days first."
        )
    last = main_metrics(row for row in daily if row["report_date"] == days[-1])
    template = templates_of("page").get_template("page.html.jinja")
    html = template.render(
        title=f"Отчёт по попыткам: {russian.dates(days)}",
        days=days,
        main=[(label, values[days[-1]]) for label, values in last.items()],
        blocks=blocks(main, daily, days),
        trends=trends(main, daily, days),
        sections=[_section(report, rows, days[-1], span) for report, rows in stored],
    )
    return html, len(days)


def _read(postgres: Postgres, end: dt.date, span: int) -> list[tuple[Report, list[Row]]]:
    """The period's rows of each report that may be shown, the main report first."""
    found = sorted(filter(may_be_shown, reports()), key=lambda report: report.sheet != MAIN)
    try:
        with postgres.transaction() as db:
            return [(r, read_named(db, r, until=end, days=span)) for r in found]
    finally:
        postgres.close()


def _section(report: Report, rows: Sequence[Row], last: dt.date, span: int) -> dict[str, Any]:
    """One report on the page: its picture over the period and its rows of the last day."""
    today = [row for row in rows if row["report_date"] == last]
    texts = {name for row in today for name, value in row.items() if isinstance(value, str)}
    columns = [
        {"name": name, "label": label, "is_number": name not in texts}
        for name, label in columns_to_show(report).items()
    ]
    if report.picture and report.picture.days > 1:
        picture = replace(report.picture, days=span)
        report = report.model_copy(update={"picture": picture})
    png = pictures.draw(report, rows)
    return {
        "report": report,
        "columns": columns,
        "is_main": report.sheet == MAIN,
        "is_broad": len(columns) > _BROAD,
        "rows": with_cells(report, today[:_MOST_ROWS]),
        "left_out": len(today[_MOST_ROWS:]),
        "picture": png and pictures.as_data_url(png),
    }

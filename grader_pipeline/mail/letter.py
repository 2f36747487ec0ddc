"""The letters: what colleagues and owners read, as text and HTML.

All words are in ``templates/``. The first line of a text template is the subject. No letter names a
learner.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from grader_pipeline.reports import trend
from grader_pipeline.reports.day_metrics import HISTORY_DAYS, MAIN_METRICS, Changes, DayReport
from grader_pipeline.reports.templating import templates_of

CHART_ID = "chart@grader-pipeline"
"""The Content-ID of the picture in a mail."""
LANGUAGE = "ru"
"""Of all letters."""
_MOST_DAYS = 31  # in the table of a digest
_MOST_CHANGED_DAYS = 7  # whose changes are listed
_templates = templates_of("mail")


@dataclass(frozen=True)
class Links:
    """The links of a letter: the sheet's name and, if it has one, address; the run's page."""

    sheet: str
    sheet_url: str | None = None
    run_url: str | None = None


@dataclass(frozen=True)
class Letter:
    """A letter before it is addressed."""

    subject: str
    text: str
    html: str
    chart: bytes | None = None


@dataclass(frozen=True)
class FailedDays:
    """Days that failed for the same cause, and its text."""

    days: list[dt.date]
    cause: str


@dataclass(frozen=True)
class Outcome:
    """What became of the days of a backfill, each list oldest first.

    ``unreported``: loaded or computed, but the report does not have them. ``running``: their run
    goes on.
    """

    reported: list[dt.date] = field(default_factory=list)
    failed: list[FailedDays] = field(default_factory=list)
    unreported: list[dt.date] = field(default_factory=list)
    running: list[dt.date] = field(default_factory=list)
    not_run: list[dt.date] = field(default_factory=list)

    def missing(self) -> list[dt.date]:
        """The days that have no report."""
        failed = (day for each in self.failed for day in each.days)
        return sorted([*failed, *self.unreported, *self.running, *self.not_run])

    def days(self) -> list[dt.date]:
        """All of them."""
        return sorted([*self.reported, *self.missing()])


def success(report: DayReport, waiting: Sequence[dt.date], links: Links) -> Letter:
    """The report of a day is ready: its metrics, and how they changed.

    ``waiting`` are days whose loading or computing can still change them.
    """
    picture = trend.draw(report.history, report.date)
    return _letter(
        "success",
        picture,
        chart_text=picture and _fill("chart.txt", series=report.history, days=HISTORY_DAYS),
        days=[report.date],
        report=report,
        main=MAIN_METRICS,
        waiting=waiting,
        links=links,
        day_before=report.date - dt.timedelta(days=1),
        week_before=report.date - dt.timedelta(days=7),
    )


def changed(changes: Changes, waiting: Sequence[dt.date], links: Links) -> Letter:
    """Metrics that readers know from an earlier mail are other numbers now: before and now."""
    return _letter("changed", days=list(changes), **_shown(changes), waiting=waiting, links=links)


def digest(
    numbers: dict[str, dict[dt.date, Decimal | None]],
    outcome: Outcome,
    changes: Changes,
    waiting: Sequence[dt.date],
    links: Links,
) -> Letter:
    """A backfill has ended: days reported, days that have no report and why, changed metrics."""
    return _letter(
        "digest",
        days=outcome.days(),
        outcome=outcome,
        numbers=numbers,
        shown=outcome.reported[::-1][:_MOST_DAYS],
        **_shown(changes),
        waiting=waiting,
        links=links,
    )


def failure(days: Sequence[dt.date], step: str, cause: str, links: Links) -> Letter:
    """To the owners: a run failed, at which step, why, and for which days, if any."""
    return _letter("failure", days=days, step=step, cause=cause, links=links)


def recovered(days: Sequence[dt.date], links: Links) -> Letter:
    """To the owners: the reports of days that failed or were not run are written."""
    return _letter("recovered", days=days, links=links)


def _shown(changes: Changes) -> dict[str, Any]:
    newest = list(changes)[:_MOST_CHANGED_DAYS]
    return {
        "changes": {day: changes[day] for day in newest},
        "further_changed": len(changes) - len(newest),
    }


def _letter(template: str, chart: bytes | None = None, **given: Any) -> Letter:  # noqa: ANN401
    subject, _, text = _fill(f"{template}.txt", **given).partition("\n\n")
    html = _fill(f"{template}.html", **given, subject=subject, chart_id=CHART_ID, language=LANGUAGE)
    return Letter(subject, text, html, chart)


def _fill(template: str, **given: Any) -> str:  # noqa: ANN401
    return _templates.get_template(f"{template}.jinja").render(given)

"""What the mails about a day say: its report is ready, or its metrics changed."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence

from grader_pipeline.mail.figures import figure
from grader_pipeline.mail.message import Figure, Links, Message, Part, Picture, Table
from grader_pipeline.mail.words import days as words
from grader_pipeline.mail.words import general
from grader_pipeline.reports import trend
from grader_pipeline.reports.day_metrics import (
    HISTORY_DAYS,
    MAIN_METRICS,
    Changes,
    DayReport,
    Metric,
    MetricChange,
    Series,
)
from grader_pipeline.reports.russian import short_date, shown
from grader_pipeline.reports.units import Unit, unit_of

LARGE = (*MAIN_METRICS[:2], "success_share", *MAIN_METRICS[2:])
"""The metrics that are shown large, in this order."""
_REPEAT_OTHERS = {"attempts", "wrong_submits"}
"""Metrics that follow from others of the mail."""
_MOST_METRICS = 12
_MOST_CHANGED_DAYS = 7
_MOST_CHANGES = 8
"""Of each day, if there are several."""


def ready(
    report: DayReport, warnings: Sequence[str], waiting: Sequence[dt.date], links: Links
) -> Message:
    """The report of a day is ready.

    ``waiting`` are days whose loading or computing can still change it.
    """
    by_name = {metric.metric: metric for metric in report.metrics}
    large = [by_name[name] for name in LARGE if name in by_name]
    rest = [metric for metric in report.metrics if _is_worth_a_line(metric, by_name)]
    rows = tuple((metric.label, shown(metric.shown)) for metric in rest[:_MOST_METRICS])
    more = len(rest) - len(rows)
    part = Part(words.REST, (words.more_metrics(more),) if more else (), Table((), rows))
    values = {metric.metric: metric.value for metric in large}
    return Message(
        subject=words.ready_subject(report.date),
        preheader=words.preheader(values, len(warnings)) or words.ready(report.date, 0),
        greeting=general.GREETING,
        sentence=words.ready(report.date, len(warnings)),
        link=links.sheet,
        figures=tuple(_figure(metric, report.date) for metric in large),
        picture=picture(report.history, report.date),
        warnings=tuple(warnings),
        parts=(part,) if rows else (),
        notes=tuple(_notes(report, waiting)),
        run_url=links.run_url,
    )


def changed(changes: Changes, waiting: Sequence[dt.date], links: Links) -> Message:
    """Metrics that readers know from an earlier mail are other numbers now: before and now."""
    days = list(changes)
    sentence = words.changed(days, sum(len(_without_repeats(of)) for of in changes.values()))
    return Message(
        subject=words.changed_subject(days),
        preheader=sentence,
        greeting=general.GREETING,
        sentence=sentence,
        link=links.sheet,
        parts=tuple(
            parts_of_changes(
                changes, _MOST_CHANGED_DAYS, None if len(changes) == 1 else _MOST_CHANGES
            )
        ),
        notes=(general.waiting(waiting),) if waiting else (),
        run_url=links.run_url,
    )


def parts_of_changes(changes: Changes, days: int, each: int | None) -> Iterator[Part]:
    """The metrics that changed: ``each`` of the newest ``days``, in one table."""
    if not changes:
        return
    head = ("", words.BEFORE, words.NOW)
    rows: list[tuple[str, ...]] = []
    newest = list(changes)[:days]
    for day in newest:
        those = _without_repeats(changes[day])
        more = len(those[each:]) if each else 0
        if len(changes) > 1:
            rows.append((words.changed_metrics_of(day, more),))
        rows.extend(
            (one.label, shown(one.shown_before), shown(one.shown_now)) for one in those[:each]
        )
    lines = []
    if len(changes) > len(newest):
        lines.append(words.more_changed(len(changes) - len(newest)))
    elif len(changes) == 1 and more:
        lines.append(words.more_metrics(more))
    title = words.CHANGED_METRICS if len(changes) > 1 else words.changed_day(newest[0])
    yield Part(title, tuple(lines), Table(head, tuple(rows)))


def picture(history: Series, day: dt.date) -> Picture | None:
    """The main metrics of the thirty days that end with this one."""
    png = trend.draw(history, day)
    return Picture(png, words.chart(history, HISTORY_DAYS)) if png else None


def _figure(metric: Metric, day: dt.date) -> Figure:
    """With its change to the same weekday of the week before or, without that, the day before."""
    back, before = (
        (7, metric.week_before) if metric.week_before is not None else (1, metric.day_before)
    )
    against = short_date(day - dt.timedelta(days=back))
    return figure(metric.label, metric.value, metric.unit, before, against, metric.text)


def _is_worth_a_line(metric: Metric, others: Collection[str]) -> bool:
    """Whether the metric says what no other of the mail says."""
    return (
        metric.metric not in {*LARGE, *_REPEAT_OTHERS}
        and unit_of(metric.unit) is not Unit.CHANGE
        and f"median_{metric.metric}" not in others
    )


def _without_repeats(changes: Sequence[MetricChange]) -> list[MetricChange]:
    """The changes of metrics, without those of metrics that compare them with other days."""
    kept = [each for each in changes if unit_of(each.unit) is not Unit.CHANGE]
    return kept or list(changes)


def _notes(report: DayReport, waiting: Sequence[dt.date]) -> Iterator[str]:
    if waiting:
        yield general.waiting(waiting)
    if report.accounting:
        yield words.accounting(report.accounting)

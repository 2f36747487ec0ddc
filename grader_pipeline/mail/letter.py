"""The letters: what colleagues and owners read, as text and HTML, and as the bytes of a mail.

The sentences are in ``templates/``; here is decided what they are given. A letter never names a
learner.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from typing import Any

from grader_pipeline.reports import russian, trend
from grader_pipeline.reports.day import MAIN_METRICS, DayReport
from grader_pipeline.reports.templating import templates_of

_DONE = "Выгрузка grades завершена"
_CHART_ID = "chart@grader-pipeline"
_MOST_DAYS = 31
_templates = templates_of("mail")


@dataclass(frozen=True)
class Links:
    """Where a letter leads: the sheet by name and, if it has one, address; the run's page."""

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
    """Days that failed for one cause, in a few words of the pipeline's own."""

    days: tuple[dt.date, ...]
    cause: str


def success(report: DayReport, links: Links) -> Letter:
    """Write that a day's report is ready, with its numbers and their change."""
    picture = trend.draw(report.history, report.date)
    return _letter(
        "success",
        f"{_DONE} — отчёт за {russian.date(report.date)}",
        picture,
        report=report,
        main=MAIN_METRICS,
        links=links,
        chart_text=trend.describe(report.history) if picture else None,
        day_before=report.date - dt.timedelta(days=1),
        week_before=report.date - dt.timedelta(days=7),
    )


def digest(
    numbers: dict[str, dict[dt.date, Decimal | None]],
    reported: Sequence[dt.date],
    failed: Sequence[FailedDays],
    missing: Sequence[dt.date],
    links: Links,
) -> Letter:
    """Write what a backfill came to: days reported, days failed and why, days it never did."""
    touched = [*reported, *(day for item in failed for day in item.days), *missing]
    if not reported:
        headline = "Выгрузка grades не удалась"
    elif failed or missing:
        headline = f"{_DONE} не полностью"
    else:
        headline = _DONE
    return _letter(
        "digest",
        f"{headline} — {_span(touched)}",
        None,
        numbers=numbers,
        shown=sorted(reported, reverse=True)[:_MOST_DAYS],
        reported=sorted(reported),
        failed=failed,
        missing=missing,
        links=links,
    )


def failure(days: Sequence[dt.date], step: str, cause: str, links: Links) -> Letter:
    """Write to the owners that a run failed, where and why, and for which days, if for any."""
    return _letter(
        "failure",
        f"Выгрузка grades не удалась{f' — {_span(days)}' if days else ''}",
        None,
        days=days,
        step=step,
        cause=cause,
        links=links,
    )


def recovered(day: dt.date, links: Links) -> Letter:
    """Write to the owners that a day which had failed is well again."""
    return _letter(
        "recovered",
        f"Выгрузка grades снова в порядке — {_span([day])}",
        None,
        day=day,
        links=links,
    )


def to_bytes(letter: Letter, *, sender: str, to: Sequence[str], identity: str) -> bytes:
    """Address a letter: the bytes of the mail, its Message-ID made of ``identity`` alone.

    ``sender`` and ``to`` are bare addresses.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = localtime()
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{name}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "ru"
    message.set_content(letter.text, cte="base64")
    message.add_alternative(letter.html, subtype="html", cte="base64")
    if letter.chart is not None:
        page = message.get_payload()[1]  # type: ignore[index]
        page.add_related(  # type: ignore[union-attr]
            letter.chart,
            "image",
            "png",
            cid=f"<{_CHART_ID}>",
            filename="chart.png",
            disposition="inline",
        )
    # EmailMessage loses spaces where it folds a long subject in Russian; Header keeps them.
    subject = Header(letter.subject, "utf-8", header_name="Subject").encode(linesep="\r\n")
    return b"Subject: %b\r\n%b" % (subject.encode(), message.as_bytes())


def _letter(template: str, subject: str, picture: bytes | None, **given: Any) -> Letter:  # noqa: ANN401
    given |= {"subject": subject, "chart_id": _CHART_ID}
    return Letter(
        subject,
        _templates.get_template(f"{template}.txt.jinja").render(given),
        _templates.get_template(f"{template}.html.jinja").render(given),
        picture,
    )


def _span(days: Sequence[dt.date]) -> str:
    """The days from first to last and how many they are."""
    first, last = min(days), max(days)
    if first == last:
        return f"отчёт за {russian.date(first)}"
    count = russian.counted(len(set(days)), "день", "дня", "дней")
    return f"отчёты за {russian.date(first)}–{russian.date(last)} ({count})"

"""The letters: what colleagues and owners read, as text and HTML, and as the bytes of a mail.

All words are in ``templates/``. The first line of a text template is the subject. No letter names a
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

from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.reports import trend
from grader_pipeline.reports.day_metrics import HISTORY_DAYS, MAIN_METRICS, DayReport
from grader_pipeline.reports.templating import templates_of

_CHART_ID = "chart@grader-pipeline"
_MOST_DAYS = 31  # in the table of a digest
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


def success(report: DayReport, links: Links) -> Letter:
    """The report of a day is ready: its metrics, and how they changed."""
    picture = trend.draw(report.history, report.date)
    return _letter(
        "success",
        picture,
        chart_text=picture and _fill("chart.txt", series=report.history, days=HISTORY_DAYS),
        days=[report.date],
        report=report,
        main=MAIN_METRICS,
        links=links,
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
    """A backfill has ended: days reported, days failed and why, days that were not run."""
    return _letter(
        "digest",
        days=[*reported, *(day for item in failed for day in item.days), *missing],
        numbers=numbers,
        shown=sorted(reported, reverse=True)[:_MOST_DAYS],
        reported=sorted(reported),
        failed=failed,
        missing=missing,
        links=links,
    )


def failure(days: Sequence[dt.date], step: str, cause: str, links: Links) -> Letter:
    """To the owners: a run failed, at which step, why, and for which days, if any."""
    return _letter("failure", days=days, step=step, cause=cause, links=links)


def recovered(day: dt.date, links: Links) -> Letter:
    """To the owners: the report of a day that had failed is written."""
    return _letter("recovered", days=[day], links=links)


def to_bytes(letter: Letter, *, sender: Mailbox, to: Sequence[Mailbox], identity: str) -> bytes:
    """The mail's bytes. ``identity`` makes the Message-ID."""
    message = EmailMessage(policy=SMTP)
    message["Date"] = localtime()
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{name}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="base64")
    message.add_alternative(letter.html, subtype="html", cte="base64")
    if letter.chart is not None:
        page = message.get_payload()[1]  # type: ignore[index]
        place = {"cid": f"<{_CHART_ID}>", "filename": "chart.png", "disposition": "inline"}
        page.add_related(letter.chart, "image", "png", **place)  # type: ignore[union-attr]
    # set_content removes earlier headers that begin with Content-.
    message["Content-Language"] = _fill("language.txt")
    # EmailMessage loses spaces where it folds a long non-ASCII text. Header keeps them.
    subject = Header(letter.subject, "utf-8", header_name="Subject").encode(linesep="\r\n")
    recipients = ",\r\n ".join(mailbox.header() for mailbox in to)
    head = f"Subject: {subject}\r\nFrom: {sender.header()}\r\nTo: {recipients}\r\n"
    return head.encode() + message.as_bytes()


def _letter(template: str, chart: bytes | None = None, **given: Any) -> Letter:  # noqa: ANN401
    subject, _, text = _fill(f"{template}.txt", **given).partition("\n\n")
    html = _fill(f"{template}.html", **given, subject=subject, chart_id=_CHART_ID)
    return Letter(subject, text, html, chart)


def _fill(template: str, **given: Any) -> str:  # noqa: ANN401
    return _templates.get_template(f"{template}.jinja").render(given)

"""What the mail about a backfill says: its days, those without a report and why, what changed."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from grader_pipeline.mail import failure
from grader_pipeline.mail.daily import parts_of_changes
from grader_pipeline.mail.message import Links, Message, Part, Table
from grader_pipeline.mail.run_outcome import FailureCause
from grader_pipeline.mail.words import days as words
from grader_pipeline.mail.words import general
from grader_pipeline.reports.day_metrics import Changes, Series
from grader_pipeline.reports.russian import NO_VALUE, number, short_date

MOST_DAYS = 14
"""Days of which a digest has figures, the newest ones."""
_MOST_CHANGED_DAYS = 4
_MOST_CHANGES = 12
"""Of all these days together. All others are in the sheet."""


@dataclass(frozen=True)
class FailedDays:
    """Days that failed for the same cause."""

    days: list[dt.date]
    cause: FailureCause


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


def digest(
    numbers: Series,
    outcome: Outcome,
    changes: Changes,
    waiting: Sequence[dt.date],
    links: Links,
    *,
    to_owners: bool = False,
) -> Message:
    """A backfill has ended. Owners also read who can do what, and the technical texts."""
    sentence = words.digest(outcome.reported, outcome.missing())
    table = list(_by_day(numbers, outcome.reported))
    causes = [each.cause for each in outcome.failed] if to_owners else []
    to_do = [failure.to_do(causes)] if causes else []
    return Message(
        subject=words.digest_subject(outcome.days(), len(outcome.reported), len(outcome.missing())),
        preheader=sentence,
        greeting="" if to_owners else general.GREETING,
        sentence=sentence,
        link=links.sheet if outcome.reported else None,
        warnings=tuple(_missing(outcome)),
        parts=(*to_do, *table, *_changes(changes)),
        notes=(general.waiting(waiting),) if waiting else (),
        technical=tuple(failure.technical(cause) for cause in causes),
        run_url=links.run_url,
    )


def _missing(outcome: Outcome) -> Iterator[str]:
    for each in outcome.failed:
        yield words.failed_days(each.days, failure.happened(each.cause))
    if outcome.unreported:
        yield words.unreported_days(outcome.unreported)
    if outcome.running:
        yield words.running_days(outcome.running)
    if outcome.not_run:
        yield words.days_not_run(outcome.not_run)


def _changes(changes: Changes) -> Iterator[Part]:
    days = min(len(changes), _MOST_CHANGED_DAYS)
    return parts_of_changes(changes, days, _MOST_CHANGES // max(days, 1))


def _by_day(numbers: Series, reported: Sequence[dt.date]) -> Iterator[Part]:
    """The main metrics of the newest days."""
    if not numbers:
        return
    shown = reported[::-1][:MOST_DAYS]
    rows = tuple(
        (short_date(day), *(_number(values, day) for values in numbers.values())) for day in shown
    )
    more = len(reported) - len(shown)
    head = ("", *(words.short_label(label) for label in numbers))
    yield Part(words.BY_DAY, (words.more_days(more),) if more else (), Table(head, rows))


def _number(values: Mapping[dt.date, Decimal | None], day: dt.date) -> str:
    return number(values[day]) if day in values else NO_VALUE

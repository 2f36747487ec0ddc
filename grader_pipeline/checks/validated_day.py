"""The checks of validated_attempts, before anything is loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import dagster as dg

from grader_pipeline.asset_names import VALIDATED_ATTEMPTS
from grader_pipeline.attempts.columns import ATTEMPT_TYPES
from grader_pipeline.attempts.validated_file import Tally
from grader_pipeline.checks.registry import Found, check
from grader_pipeline.partitions import SchoolDay
from grader_pipeline.settings import Settings

_ENOUGH_WEEKS = 2
_SATURDAY = 5
_WARN_SHARE = 0.05
_WARN_REJECTED_IN_COURSE = 50
_WARN_VOLUME = (0.5, 2.0)


@dataclass(frozen=True)
class ValidatedDay:
    """The facts of validated_attempts, before anything is loaded."""

    tally: Tally
    day: SchoolDay
    weekday_volumes: Sequence[int]
    """The attempts stored for the same weekday of the last four weeks."""
    settings: Settings
    weekday_volumes_by_type: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """The same of each attempt type."""

    @property
    def usual(self) -> float | None:
        """The median of the weekday's volumes; None while fewer than two are stored."""
        return _median(self.weekday_volumes)

    @property
    def volume(self) -> dict[str, Any]:
        """The metadata of checks of the volume."""
        usual = {} if self.usual is None else {"median of the weekday": float(self.usual)}
        return {"attempts": self.tally.valid, **usual}

    @property
    def refused(self) -> int:
        """Elements that were rejected because they are wrong: not those of forgotten learners."""
        return self.tally.rejected - self.tally.forgotten

    @property
    def rejected_share(self) -> float:
        """``refused`` of the elements received beside those of forgotten learners; 0 of none."""
        received = self.tally.received - self.tally.forgotten
        return self.refused / received if received else 0.0

    @property
    def sent(self) -> int:
        """The valid attempts, and the elements of forgotten learners: the API did send them."""
        return self.tally.valid + self.tally.forgotten


def _median(volumes: Sequence[int]) -> float | None:
    return median(volumes) if len(volumes) >= _ENOUGH_WEEKS else None


@check(VALIDATED_ATTEMPTS, blocking=True)
def rejected_share(facts: ValidatedDay) -> Found:
    """At most GRADER_MAX_REJECTED_SHARE of the elements, and of each attempt type, are rejected."""
    tally, bound = facts.tally, facts.settings.grader_max_rejected_share
    by_type = tally.rejected_by_type.items()
    shares = {word: rejected / tally.received_by_type[word] for word, rejected in by_type}
    texts = [f"{facts.refused} of {tally.received} elements were rejected."]
    texts += [
        f"{tally.rejected_by_type[word]} of {tally.received_by_type[word]} {word}s were rejected."
        for word, share in sorted(shares.items())
        if share > bound
    ]
    return Found(
        max(facts.rejected_share, *shares.values(), 0) <= bound,
        {
            "share": facts.rejected_share,
            "share by attempt type": dg.MetadataValue.json(shares),
        },
        " ".join(texts),
    )


@check(VALIDATED_ATTEMPTS, blocking=True)
def day_volume(facts: ValidatedDay) -> Found:
    """At least GRADER_MIN_VOLUME_SHARE of the median of the same weekday in the last four weeks.

    While fewer than two of them are stored: not empty on a working day. The share holds for each
    attempt type too. Elements of forgotten learners count as attempts, of each type.
    """
    valid, share = facts.tally.valid, facts.settings.grader_min_volume_share
    if facts.usual is None:
        enough = facts.sent > 0 or facts.day.date.weekday() >= _SATURDAY
        text = f"{valid} attempts on a {facts.day.date:%A}; nothing to compare with yet."
    else:
        enough = facts.sent >= share * facts.usual
        text = f"{valid} attempts; the median of the weekday is {facts.usual:g}."
    for word in ATTEMPT_TYPES:
        number = facts.tally.valid_by_type.get(word, 0)
        usual = _median(facts.weekday_volumes_by_type.get(word, ()))
        if usual is not None and number + facts.tally.forgotten < share * usual:
            enough = False
            text += f" {number} {word}s; their median is {usual:g}."
    return Found(enough or share == 0, facts.volume, text)


@check(VALIDATED_ATTEMPTS)
def few_rejected(facts: ValidatedDay) -> Found:
    """Warns when 5 % or more of the elements are rejected."""
    return Found(facts.rejected_share < _WARN_SHARE, {"share": facts.rejected_share})


@check(VALIDATED_ATTEMPTS)
def few_rejected_in_each_course(facts: ValidatedDay) -> Found:
    """Warns of courses of which more than 50 elements are rejected.

    A course with rejected elements of fewer than five learners is counted, not named. The numbers
    are not shown: without them, nobody can subtract those of the others.
    """
    rejected = facts.tally.courses_rejected.items()
    many = sorted(course for course, number in rejected if number > _WARN_REJECTED_IN_COURSE)
    named = [course for course in many if course in facts.tally.large_courses_rejected]
    found = {"courses": dg.MetadataValue.json(named), "not named": len(many) - len(named)}
    text = "The elements are in grader_rejected, with their reasons." if many else None
    return Found(not many, found, text)


@check(VALIDATED_ATTEMPTS)
def usual_volume(facts: ValidatedDay) -> Found:
    """Warns when the day has under half or over double the weekday's median."""
    least, most = _WARN_VOLUME
    usual = facts.usual or 0
    is_usual = not usual or (least * usual <= facts.sent and facts.tally.valid <= most * usual)
    return Found(is_usual, facts.volume)


@check(VALIDATED_ATTEMPTS)
def verdict_fits_type(facts: ValidatedDay) -> Found:
    """Warns of runs with a verdict and submits without one."""
    disagree = facts.tally.verdict_disagrees
    return Found(disagree == 0, {"attempts": disagree})


@check(VALIDATED_ATTEMPTS)
def courses_have_outcome_urls(facts: ValidatedDay) -> Found:
    """Warns of courses none of whose attempts has lis_outcome_service_url.

    A course of fewer than five learners is counted, not named.
    """
    without = facts.tally.courses_without_url.items()
    courses = sorted(course for course, number in without if number == facts.tally.courses[course])
    named = [course for course in courses if course in facts.tally.large_courses]
    found = {"courses": dg.MetadataValue.json(named), "not named": len(courses) - len(named)}
    return Found(not courses, found)


@check(VALIDATED_ATTEMPTS)
def outcome_urls_are_whole(facts: ValidatedDay) -> Found:
    """Warns of courses that lack lis_outcome_service_url in some of their attempts.

    A course of fewer than five learners is counted, not named. Of the others the share is shown, in
    per cent: with numbers, those of the small ones could be told.
    """
    tally = facts.tally
    without = sorted(tally.courses_without_url.items())
    shares = {
        course: round(100 * number / tally.courses[course])
        for course, number in without
        if 0 < number < tally.courses[course]
    }
    named = {course: share for course, share in shares.items() if course in tally.large_courses}
    found = {
        "% of attempts": dg.MetadataValue.json(named),
        "not named": len(shares) - len(named),
    }
    text = "The LMS takes no grade for these attempts: ask who configures it." if shares else None
    return Found(not shares, found, text)


@check(VALIDATED_ATTEMPTS)
def courses_and_tasks_are_readable(facts: ValidatedDay) -> Found:
    """Warns when 5 % or more of the attempts have no readable course or task.

    Their number is not shown: they are a group of the report by course, and may be few learners.
    """
    unread = facts.tally.unread
    return Found(not unread or unread < _WARN_SHARE * facts.tally.valid, {})

"""The asset checks: what must be true before a day goes on, and what somebody should look at.

A blocking check that fails fails the run: nothing after it happens and no success is mailed. A
warning is shown and lets the day pass. The asset runs its checks with every materialization.

Each check is one function. Its name is the check's name, its docstring the description in the UI.
It gets the facts of its asset and returns what it found.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

import dagster as dg

from grader_pipeline.asset_names import GRADER_TABLE, SHEET_REPORT, VALIDATED_ATTEMPTS
from grader_pipeline.attempts.columns import ATTEMPT_TYPES
from grader_pipeline.attempts.validation import Tally
from grader_pipeline.partitions import SchoolDay
from grader_pipeline.settings import Settings

_ENOUGH_WEEKS = 2
_SATURDAY = 5
_WARN_REJECTED_SHARE = 0.05
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
    def rejected_share(self) -> float:
        """Rejected elements of those received; 0 of none."""
        return self.tally.rejected / self.tally.received if self.tally.received else 0.0


def _median(volumes: Sequence[int]) -> float | None:
    return median(volumes) if len(volumes) >= _ENOUGH_WEEKS else None


@dataclass(frozen=True)
class LoadedDay:
    """The facts of grader_table, after the load."""

    ledger: Mapping[str, int]
    """The row of ``sql/checks/ledger_and_tables.sql``."""
    schema_differences: Sequence[str]


class Found(NamedTuple):
    """What a check found. The description has the numbers, and what to do."""

    passed: bool
    metadata: Mapping[str, Any]
    description: str | None = None


Check = Callable[[Any], Found]
_CHECKS: dict[str, list[tuple[dg.AssetCheckSpec, Check]]] = {}


def specs(*assets: str) -> list[dg.AssetCheckSpec]:
    """The specs of the checks of ``assets``; without a name, of all assets."""
    return [spec for asset in assets or _CHECKS for spec, _ in _CHECKS[asset]]


def results(asset: str, facts: object) -> list[dg.AssetCheckResult]:
    """What the checks of ``asset`` found in its facts: the argument that they take."""
    return [
        dg.AssetCheckResult(
            **check(facts)._asdict(),
            check_name=spec.name,
            asset_key=spec.asset_key,
            severity=dg.AssetCheckSeverity.ERROR if spec.blocking else dg.AssetCheckSeverity.WARN,
        )
        for spec, check in _CHECKS[asset]
    ]


def _check(asset: str, *, blocking: bool = False) -> Callable[[Check], Check]:
    """Make a function a check of ``asset``."""

    def define(check: Check) -> Check:
        text = " ".join((check.__doc__ or "").split())
        spec = dg.AssetCheckSpec(check.__name__, asset=asset, blocking=blocking, description=text)
        _CHECKS.setdefault(asset, []).append((spec, check))
        return check

    return define


@_check(VALIDATED_ATTEMPTS, blocking=True)
def rejected_share(facts: ValidatedDay) -> Found:
    """At most GRADER_MAX_REJECTED_SHARE of the elements, and of each attempt type, are rejected."""
    tally, bound = facts.tally, facts.settings.grader_max_rejected_share
    by_type = tally.rejected_by_type.items()
    shares = {word: rejected / tally.received_by_type[word] for word, rejected in by_type}
    texts = [f"{tally.rejected} of {tally.received} elements were rejected."]
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
            "reasons": dg.MetadataValue.json(tally.reasons),
        },
        " ".join(texts),
    )


@_check(VALIDATED_ATTEMPTS, blocking=True)
def day_volume(facts: ValidatedDay) -> Found:
    """At least GRADER_MIN_VOLUME_SHARE of the median of the same weekday in the last four weeks.

    While fewer than two of them are stored: not empty on a working day. The share holds for each
    attempt type too.
    """
    valid, share = facts.tally.valid, facts.settings.grader_min_volume_share
    if facts.usual is None:
        enough = valid > 0 or facts.day.date.weekday() >= _SATURDAY
        text = f"{valid} attempts on a {facts.day.date:%A}; nothing to compare with yet."
    else:
        enough = valid >= share * facts.usual
        text = f"{valid} attempts; the median of the weekday is {facts.usual:g}."
    for word in ATTEMPT_TYPES:
        number = facts.tally.valid_by_type.get(word, 0)
        usual = _median(facts.weekday_volumes_by_type.get(word, ()))
        if usual is not None and number < share * usual:
            enough = False
            text += f" {number} {word}s; their median is {usual:g}."
    return Found(enough or share == 0, facts.volume, text)


@_check(VALIDATED_ATTEMPTS)
def few_rejected(facts: ValidatedDay) -> Found:
    """Warns when 5 % or more of the elements are rejected."""
    return Found(facts.rejected_share < _WARN_REJECTED_SHARE, {"share": facts.rejected_share})


@_check(VALIDATED_ATTEMPTS)
def few_rejected_in_each_course(facts: ValidatedDay) -> Found:
    """Warns of courses of which more than 50 elements are rejected."""
    rejected = facts.tally.courses_rejected.items()
    many = {course: number for course, number in rejected if number > _WARN_REJECTED_IN_COURSE}
    return Found(not many, {"rejected": dg.MetadataValue.json(many)})


@_check(VALIDATED_ATTEMPTS)
def usual_volume(facts: ValidatedDay) -> Found:
    """Warns when the day has under half or over double the weekday's median."""
    least, most = _WARN_VOLUME
    return Found(not facts.usual or least <= facts.tally.valid / facts.usual <= most, facts.volume)


@_check(VALIDATED_ATTEMPTS)
def verdict_fits_type(facts: ValidatedDay) -> Found:
    """Warns of runs with a verdict and submits without one."""
    disagree = facts.tally.verdict_disagrees
    return Found(disagree == 0, {"attempts": disagree})


@_check(VALIDATED_ATTEMPTS)
def courses_have_outcome_urls(facts: ValidatedDay) -> Found:
    """Warns of courses none of whose attempts has lis_outcome_service_url."""
    without = facts.tally.courses_without_url.items()
    courses = sorted(course for course, number in without if number == facts.tally.courses[course])
    return Found(not courses, {"courses": dg.MetadataValue.json(courses)})


@_check(GRADER_TABLE, blocking=True)
def accounting(facts: LoadedDay) -> Found:
    """The ledger closes: received = loaded + already there + duplicates + rejected.

    The tables hold what the ledger says.
    """
    ledger = facts.ledger
    parts = ("loaded", "already_there", "duplicates", "rejected")
    closes = (
        ledger["received"] == sum(ledger[part] for part in parts)
        and ledger["quarantined"] == ledger["duplicates"] + ledger["rejected"]
        and ledger["stored"] >= ledger["loaded"] + ledger["already_there"]
    )
    counts = ", ".join(f"{name} {number}" for name, number in ledger.items())
    return Found(
        closes,
        dict(ledger),
        f"{counts}. Run the day again; if they still disagree, the tables were changed by hand.",
    )


@_check(GRADER_TABLE, blocking=True)
def table_schema(facts: LoadedDay) -> Found:
    """The live tables, views and functions are those of sql/schema.

    What a newer release added is no difference.
    """
    return Found(
        not facts.schema_differences,
        {"differences": dg.MetadataValue.json(list(facts.schema_differences))},
        "; ".join(facts.schema_differences) or "No difference.",
    )


@_check(GRADER_TABLE)
def stored_rows_agree(facts: LoadedDay) -> Found:
    """Warns when stored attempts differ, after the load, from what the API says now."""
    return Found(
        facts.ledger["differing"] == 0,
        {"differing": facts.ledger["differing"]},
        "Materialize with run config `on_conflict: update` to take the API's.",
    )


@_check(SHEET_REPORT, blocking=True)
def every_report_ran(failures: Sequence[Mapping[str, str]]) -> Found:
    """Every report of sql/reports could be computed for the day."""
    messages = {failure["report"]: failure["message"] for failure in failures}
    return Found(
        not messages,
        {"failed": dg.MetadataValue.json(messages)},
        "; ".join(messages.values()) or None,
    )

"""The asset checks: what must hold before a day goes on, and what somebody should look at.

A blocking check that fails fails the run, so nothing after it happens and no success is mailed; a
warning is shown and lets the day pass. Each check is one function from numbers to a result, run by
the asset it stands on, with every materialization. A new one is a function here, its spec below,
and a line in the asset that yields it.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import dagster as dg

from grader_pipeline.attempts.validation import Tally
from grader_pipeline.partitions import SchoolDay
from grader_pipeline.settings import Settings

_ENOUGH_WEEKS = 2
_SATURDAY = 5
_WARN_REJECTED_SHARE = 0.05
_WARN_VOLUME = (0.5, 2.0)

VALIDATED_ATTEMPTS = [
    dg.AssetCheckSpec(
        "rejected_share",
        asset="validated_attempts",
        blocking=True,
        description="At most GRADER_MAX_REJECTED_SHARE of the rows are rejected.",
    ),
    dg.AssetCheckSpec(
        "day_volume",
        asset="validated_attempts",
        blocking=True,
        description=(
            "At least GRADER_MIN_VOLUME_SHARE of the median of the same weekday in the last four "
            "weeks; while fewer than two of them are stored, not empty on a working day."
        ),
    ),
    dg.AssetCheckSpec(
        "few_rejected",
        asset="validated_attempts",
        description="Warns when 5 % or more of the rows are rejected.",
    ),
    dg.AssetCheckSpec(
        "usual_volume",
        asset="validated_attempts",
        description="Warns when the day has under half or over double the weekday's median.",
    ),
    dg.AssetCheckSpec(
        "verdict_fits_type",
        asset="validated_attempts",
        description="Warns of runs with a verdict and submits without one.",
    ),
    dg.AssetCheckSpec(
        "courses_have_outcome_urls",
        asset="validated_attempts",
        description="Warns of courses none of whose attempts has lis_outcome_service_url.",
    ),
]

GRADER_TABLE = [
    dg.AssetCheckSpec(
        "accounting",
        asset="grader_table",
        blocking=True,
        description=(
            "received = loaded + already there + duplicates + rejected, and the tables hold what "
            "the ledger says."
        ),
    ),
    dg.AssetCheckSpec(
        "table_schema",
        asset="grader_table",
        blocking=True,
        description=(
            "The live tables, views and functions are those of sql/schema; what a newer release "
            "added is no difference."
        ),
    ),
    dg.AssetCheckSpec(
        "stored_rows_agree",
        asset="grader_table",
        description="Warns when stored attempts differ from what the API says now.",
    ),
]

SHEET_REPORT = [
    dg.AssetCheckSpec(
        "every_report_ran",
        asset="sheet_report",
        blocking=True,
        description="Every report of sql/reports could be computed for the day.",
    ),
]


def of_validated_attempts(
    tally: Tally, day: SchoolDay, weekday_volumes: Sequence[int], settings: Settings
) -> list[dg.AssetCheckResult]:
    """The checks of a validated day, before anything of it is loaded.

    ``weekday_volumes`` are the attempts stored for the same weekday of the last four weeks.
    """
    share = tally.rejected / tally.received if tally.received else 0.0
    usual = median(weekday_volumes) if len(weekday_volumes) >= _ENOUGH_WEEKS else None
    urlless = sorted(
        course
        for course, number in tally.courses_without_url.items()
        if number == tally.courses[course]
    )
    volume: dict[str, Any] = {"attempts": dg.MetadataValue.int(tally.valid)}
    if usual is not None:
        volume["median of the weekday"] = dg.MetadataValue.float(float(usual))
    return [
        _result(
            VALIDATED_ATTEMPTS[0],
            passed=share <= settings.grader_max_rejected_share,
            metadata={"share": share, "reasons": dg.MetadataValue.json(tally.reasons)},
            description=f"{tally.rejected} of {tally.received} rows were rejected.",
        ),
        _result(
            VALIDATED_ATTEMPTS[1],
            passed=_enough(tally.valid, usual, day, settings.grader_min_volume_share),
            metadata=volume,
            description=_volume_words(tally.valid, usual, day),
        ),
        _result(
            VALIDATED_ATTEMPTS[2], passed=share < _WARN_REJECTED_SHARE, metadata={"share": share}
        ),
        _result(
            VALIDATED_ATTEMPTS[3],
            passed=not usual or _WARN_VOLUME[0] <= tally.valid / usual <= _WARN_VOLUME[1],
            metadata=volume,
        ),
        _result(
            VALIDATED_ATTEMPTS[4],
            passed=tally.verdict_disagrees == 0,
            metadata={"attempts": tally.verdict_disagrees},
        ),
        _result(
            VALIDATED_ATTEMPTS[5],
            passed=not urlless,
            metadata={"courses": dg.MetadataValue.json(urlless)},
        ),
    ]


def of_grader_table(
    account: Mapping[str, int], schema_differences: Sequence[str]
) -> list[dg.AssetCheckResult]:
    """The checks of a loaded day, from the ledger and from what the tables hold.

    ``account`` is the row of ``sql/checks/account.sql``.
    """
    parts = ("loaded", "already_there", "duplicates", "rejected")
    holds = (
        account["received"] == sum(account[part] for part in parts)
        and account["quarantined"] == account["duplicates"] + account["rejected"]
        and account["stored"] >= account["loaded"] + account["already_there"]
    )
    return [
        _result(
            GRADER_TABLE[0],
            passed=holds,
            metadata=dict(account),
            description=", ".join(f"{name} {number}" for name, number in account.items())
            + ". Run the day again; if they still disagree, the tables were changed by hand.",
        ),
        _result(
            GRADER_TABLE[1],
            passed=not schema_differences,
            metadata={"differences": dg.MetadataValue.json(list(schema_differences))},
            description="; ".join(schema_differences) or "No difference.",
        ),
        _result(
            GRADER_TABLE[2],
            passed=account["differing"] == 0,
            metadata={"differing": account["differing"]},
            description="Materialize with run config `on_conflict: update` to take the API's.",
        ),
    ]


def of_reports(failures: Sequence[Mapping[str, str]]) -> dg.AssetCheckResult:
    """The check of the day's reports (``sql/report_tables/failures.sql``)."""
    told = {failure["report"]: failure["message"] for failure in failures}
    return _result(
        SHEET_REPORT[0],
        passed=not told,
        metadata={"failed": dg.MetadataValue.json(told)},
        description="; ".join(told.values()) or None,
    )


def _enough(valid: int, usual: float | None, day: SchoolDay, least_share: float) -> bool:
    if least_share == 0:
        return True
    if usual is None:
        return valid > 0 or day.date.weekday() >= _SATURDAY
    return valid >= least_share * usual


def _volume_words(valid: int, usual: float | None, day: SchoolDay) -> str:
    if usual is None:
        return f"{valid} attempts on a {day.date:%A}; nothing to compare with yet."
    return f"{valid} attempts; the median of the weekday is {usual:g}."


def _result(
    spec: dg.AssetCheckSpec,
    *,
    passed: bool,
    metadata: Mapping[str, Any] | None = None,
    description: str | None = None,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=bool(passed),
        check_name=spec.name,
        asset_key=spec.asset_key,
        severity=dg.AssetCheckSeverity.ERROR if spec.blocking else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description=description,
    )

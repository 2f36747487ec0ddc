"""The checks of sheet_report, after the sheet was written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from grader_pipeline.asset_names import SHEET_REPORT
from grader_pipeline.checks.registry import Found, check


@dataclass(frozen=True)
class ShownDay:
    """The facts of sheet_report, after the write."""

    failures: Mapping[str, str]
    """The reports that could not be computed, each with its message."""
    outdated: Sequence[str]
    """Reports that were computed from other attempts of the day than grader holds."""
    changed_by_others: bool
    """Whether somebody else has changed attempts of the day since it was rolled up."""
    table: Mapping[str, int]
    """Metrics of the day, counted in grader itself."""
    shown: Mapping[str, object]
    """The same metrics in daily_metrics."""


@check(SHEET_REPORT, blocking=True)
def every_report_ran(facts: ShownDay) -> Found:
    """Every report of sql/reports could be computed for the day."""
    return Found(
        not facts.failures,
        {"failed": dg.MetadataValue.json(dict(facts.failures))},
        "; ".join(facts.failures.values()) or None,
    )


@check(SHEET_REPORT, blocking=True)
def reports_agree(facts: ShownDay) -> Found:
    """The day's reports were computed from what the table grader holds now."""
    texts = [
        f"{name} is {facts.shown.get(name)} in the report and {value} in grader."
        for name, value in facts.table.items()
        if facts.shown.get(name) != value
    ]
    if facts.outdated:
        texts.append(f"Computed before the day's attempts changed: {', '.join(facts.outdated)}.")
    if facts.changed_by_others:
        texts.append("Somebody else changed attempts of the day after they were rolled up.")
    return Found(
        not texts,
        {"outdated": dg.MetadataValue.json(list(facts.outdated)), **facts.table},
        " ".join([*texts, "Run the day again from grader_table on."]) if texts else None,
    )

"""The checks of grader_table, after the load. table_schema fails before it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from grader_pipeline.asset_names import GRADER_TABLE
from grader_pipeline.checks.registry import Found, check


@dataclass(frozen=True)
class LoadedDay:
    """The facts of grader_table, after the load."""

    ledger: Mapping[str, int]
    """The row of ``sql/checks/ledger_and_tables.sql``."""
    schema_differences: Sequence[str]
    stored_before: int
    """The day's attempts in grader before the load."""
    remembered: int | None
    """How many the day's rollup was made of. None: there was no rollup."""
    marks: int
    """Quarter hours of the day that somebody else has changed since then."""
    was_changed: bool
    """Whether the table held something else before the load than the rollup was made of."""
    redone: Sequence[dt.date] = ()
    """Other days that somebody else has changed, and that were rolled up again now."""


@check(GRADER_TABLE, blocking=True)
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


@check(GRADER_TABLE, blocking=True)
def table_schema(facts: LoadedDay) -> Found:
    """The live tables, views and functions are those of sql/schema, or nothing is loaded.

    What a newer release added is no difference.
    """
    return Found(
        not facts.schema_differences,
        {"differences": dg.MetadataValue.json(list(facts.schema_differences))},
        "; ".join(facts.schema_differences) or "No difference.",
    )


@check(GRADER_TABLE)
def stored_rows_agree(facts: LoadedDay) -> Found:
    """Warns when stored attempts differ, after the load, from what the API says now."""
    return Found(
        facts.ledger["differing"] == 0,
        {"differing": facts.ledger["differing"]},
        "Materialize with run config `on_conflict: update` to take the API's.",
    )


@check(GRADER_TABLE)
def table_was_changed(facts: LoadedDay) -> Found:
    """Warns when somebody else than a load has changed the table since it was last looked at."""
    texts = []
    if facts.was_changed:
        known = "none" if facts.remembered is None else facts.remembered
        texts.append(
            f"The day had {facts.stored_before} attempts before this load, its rollup {known}; "
            f"{facts.marks} quarter hours were changed. The day was rolled up again."
        )
    if facts.redone:
        listed = ", ".join(day.isoformat() for day in facts.redone)
        texts.append(f"These days were changed too, and rolled up again: {listed}.")
    return Found(
        not facts.was_changed and not facts.redone,
        {
            "attempts before": facts.stored_before,
            "changed quarter hours": facts.marks,
            "other days": dg.MetadataValue.json([day.isoformat() for day in facts.redone]),
        },
        " ".join(texts) or "Nobody else has changed it.",
    )

"""The checks of grader_table, after the load. table_schema fails before it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from grader_pipeline.asset_names import GRADER_TABLE
from grader_pipeline.checks.registry import Found, check


@dataclass(frozen=True)
class StoredBefore:
    """A day's attempts in grader before a load."""

    attempts: int
    remembered: int | None
    """How many the rollup was made of. None: it does not exist, or release 0.2.0 made it."""
    marks: int
    """Quarter hours that somebody else has changed since the rollup was made."""

    @property
    def was_changed(self) -> bool:
        """Whether the table differs from what the rollup was made of."""
        return self.marks > 0 or self.remembered not in {None, self.attempts}


@dataclass(frozen=True)
class LoadedDay:
    """The facts of grader_table, after the load."""

    ledger: Mapping[str, int]
    """The row of ``sql/checks/ledger_and_tables.sql``."""
    schema_differences: Sequence[str]
    before: StoredBefore
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
    advice = "Run the day again; if they still disagree, the tables were changed by hand."
    # The numbers are the metadata, too.
    return Found(closes, dict(ledger), None if closes else f"{counts}. {advice}")


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
    differing = facts.ledger["differing"]
    advice = "Materialize with run config `on_conflict: update` to take the API's."
    return Found(differing == 0, {"differing": differing}, advice if differing else None)


@check(GRADER_TABLE)
def table_was_changed(facts: LoadedDay) -> Found:
    """Warns when somebody else than a load has changed the table since it was last looked at."""
    before, texts = facts.before, []
    if before.was_changed:
        known = "none" if before.remembered is None else before.remembered
        texts.append(
            f"The day had {before.attempts} attempts before this load, its rollup {known}; "
            f"{before.marks} quarter hours were changed. The day was rolled up again."
        )
    if facts.redone:
        listed = ", ".join(day.isoformat() for day in facts.redone)
        texts.append(f"These days were changed too, and rolled up again: {listed}.")
    return Found(
        not before.was_changed and not facts.redone,
        {
            "attempts before": before.attempts,
            "changed quarter hours": before.marks,
            "other days": dg.MetadataValue.json([day.isoformat() for day in facts.redone]),
        },
        " ".join(texts) or "Nobody else has changed it.",
    )

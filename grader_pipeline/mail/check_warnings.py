"""The checks of a run that warn, as facts. Source: the evaluations in Dagster's storage."""

from typing import Any, NamedTuple

import dagster as dg

from grader_pipeline.mail.run_outcome import RETRY_TAG


class CheckWarning(NamedTuple):
    """A check that warned, and the metadata of its evaluation as plain values."""

    check: str
    facts: dict[str, Any]


def of_run(instance: dg.DagsterInstance, run: dg.DagsterRun | None) -> list[CheckWarning]:
    """The checks that warn of what the run has made.

    Dagster's retry of a run does only the steps that failed: what the steps before found is in the
    run that it retries.
    """
    found: dict[str, CheckWarning | None] = {}
    while run is not None:
        kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
        for entry in reversed(instance.all_logs(run.run_id, of_type=kind)):
            if entry.dagster_event is None:
                continue
            found_by = entry.dagster_event.asset_check_evaluation_data
            is_warning = not found_by.passed and found_by.severity == dg.AssetCheckSeverity.WARN
            facts = {name: value.value for name, value in found_by.metadata.items()}
            warning = CheckWarning(found_by.check_name, facts) if is_warning else None
            found.setdefault(found_by.check_name, warning)
        parent = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
        is_retry = parent is not None and parent.tags.get(RETRY_TAG) == run.run_id
        run = parent if is_retry else None
    return [warning for warning in found.values() if warning is not None]

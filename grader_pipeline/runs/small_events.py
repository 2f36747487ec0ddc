"""What of Dagster's events is stored. Dagster has no setting for it.

An event has 900 characters of Dagster's own around what it says, and a run has 130 events. Here an
event loses what Dagster makes itself when it reads one: empty fields, blanks, the handle and the
key of a step, a name or a message that is there twice. It also loses tags for logs and the number
of the process, which nobody reads there.
Dagster reads such an event with its own code, whatever storage it has.

Events that only say that a step goes on are not stored: see ``_UNREAD``. Worth: 55 KB of a run's
events instead of 152.
"""

import json
from typing import Any, cast

import dagster as dg
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_shared.serdes import pack_value

_UNREAD = {
    # Of a check of an asset with partitions, Dagster never finds it again: with its result it would
    # have two lines among the results of the check, one of which is planned for ever.
    "ASSET_CHECK_EVALUATION_PLANNED",
    "HOOK_SKIPPED",
    "STEP_INPUT",
    "LOADED_INPUT",
    # Path and size are in the asset's materialization too.
    "HANDLED_OUTPUT",
    "RESOURCE_INIT_STARTED",
    "RESOURCE_INIT_SUCCESS",
}
"""Events that say nothing which another event of the run does not say."""

_UNREAD_MESSAGES = ("Executing steps in process", "Finished steps in process")
"""How engine events begin that come with the start and the end of the run."""

_MADE_ANEW = {"step_handle", "step_key"}
"""Dagster makes these from ``solid_handle``."""
_OF_NO_USE = {"logging_tags", "pid", "step_kind_value"}
"""Of the event of a step. The number of its process is with the start of the run."""
_UNREAD_TEXTS = {"ASSET_CHECK_EVALUATION"}
"""Events whose message has what their data have. Dagster's UI does not show it."""

_HAVE_DEFAULTS = {
    "AssetCheckEvaluation",
    "AssetMaterialization",
    "AssetMaterializationPlannedData",
    "ComputeLogsCaptureData",
    "EventMetadataEntry",
    "StepMaterializationData",
    "StepOutputData",
    "StepOutputHandle",
    "TypeCheckData",
}
"""Parts of events that Dagster reads without their empty fields."""


def store_small_events(events: PostgresEventLogStorage) -> None:
    """Have a storage keep the events that are read, with Dagster's own fields made short."""
    store, insertion = events.store_event, events.prepare_insert_event

    def store_if_read(event: dg.EventLogEntry) -> None:
        if not _is_unread(event):
            store(event)

    def insertion_of_small(event: dg.EventLogEntry) -> Any:  # noqa: ANN401 (as Dagster's own)
        return insertion(event).values(event=_written(event))

    cast("Any", events).store_event = store_if_read
    cast("Any", events).prepare_insert_event = insertion_of_small


def _is_unread(entry: dg.EventLogEntry) -> bool:
    event = entry.dagster_event
    if event is None:  # a line of the log
        return False
    if event.event_type_value == "STEP_OUTPUT":
        # No step takes the output of a check or of a report. Their results are events of their own.
        # A retry looks for the others, to know which steps have succeeded.
        return event.step_output_data.output_name not in {"result", event.step_key}
    if event.event_type_value == "ENGINE_EVENT":
        return (event.message or "").startswith(_UNREAD_MESSAGES)
    return event.event_type_value in _UNREAD


def _written(event_log_entry: dg.EventLogEntry) -> str:
    entry: dict[str, Any] = _without_empty(pack_value(event_log_entry))
    del entry["message"]  # always empty: Dagster writes it for its own older releases
    if event := entry["dagster_event"]:
        del entry["pipeline_name"]  # the event has it
        if entry["user_message"] == event.get("message"):
            entry["user_message"] = ""
        known = _MADE_ANEW | _OF_NO_USE if event["solid_handle"] else {"logging_tags"}
        if event["event_type_value"] in _UNREAD_TEXTS:
            known = known | {"message"}
        entry["dagster_event"] = {
            k: v for k, v in event.items() if v is not None and k not in known
        }
    else:
        del entry["dagster_event"]
    return json.dumps(entry, separators=(",", ":"))


def _without_empty(packed: Any) -> Any:  # noqa: ANN401 (JSON)
    """Without the empty fields of ``_HAVE_DEFAULTS``."""
    if isinstance(packed, list):
        return [_without_empty(item) for item in packed]
    if not isinstance(packed, dict):
        return packed
    drops = packed.get("__class__") in _HAVE_DEFAULTS
    return {
        key: _without_empty(value)
        for key, value in packed.items()
        if not (drops and (value is None or value == []))
    }

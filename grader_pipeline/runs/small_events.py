"""What of Dagster's events is stored. Dagster has no setting for it.

An event has 900 characters of Dagster's own around what it says, and a run has 130 events. Here an
event loses what Dagster makes itself when it reads one: empty fields, blanks, the handle and the
key of a step, a message that is there twice. It also loses ``logging_tags``, which nobody reads.
Dagster reads such an event with its own code, whatever storage it has.

Events that only say that a step goes on are not stored: see ``_UNREAD``.
"""

import json
from typing import Any, cast

import dagster as dg
from dagster._core.storage.event_log import sql_event_log
from dagster._serdes import pack_value, serialize_value
from dagster_postgres.event_log import PostgresEventLogStorage

_UNREAD = {
    "HOOK_SKIPPED",
    "STEP_INPUT",
    "LOADED_INPUT",
    # Path and size are in the asset's materialization too.
    "HANDLED_OUTPUT",
    "RESOURCE_INIT_STARTED",
    "RESOURCE_INIT_SUCCESS",
}
"""Events that say nothing which another event of the run does not say."""

_MADE_ANEW = {"step_handle", "step_key", "logging_tags"}


def store_small_events(events: PostgresEventLogStorage) -> None:
    """Have a storage keep what is worth keeping of an event, with Dagster's own fields made short.

    Worth: a run of a usual day has 100 events instead of 128.
    """
    cast("Any", sql_event_log).serialize_value = _written
    store = events.store_event

    def store_if_read(event: dg.EventLogEntry) -> None:
        if not _is_unread(event):
            store(event)

    cast("Any", events).store_event = store_if_read


def _is_unread(entry: dg.EventLogEntry) -> bool:
    event = entry.dagster_event
    if event is None:
        return False
    if event.event_type_value == "STEP_OUTPUT":
        # The output of a check, which no step takes. Its result is an event of its own.
        return event.step_output_data.output_name.startswith(f"{event.step_key}_")
    return event.event_type_value in _UNREAD


def _written(value: Any) -> str:  # noqa: ANN401 (as Dagster's own)
    if not isinstance(value, dg.EventLogEntry):
        return serialize_value(value)
    entry: dict[str, Any] = dict(pack_value(value))
    del entry["message"]  # always empty: Dagster writes it for its own older releases
    if event := entry["dagster_event"]:
        if entry["user_message"] == event.get("message"):
            entry["user_message"] = ""
        known = _MADE_ANEW if event["solid_handle"] else {"logging_tags"}
        entry["dagster_event"] = {
            k: v for k, v in event.items() if v is not None and k not in known
        }
    else:
        del entry["dagster_event"]
    return json.dumps(entry, separators=(",", ":"))

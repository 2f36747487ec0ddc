"""Events are stored small, and Dagster reads the same from them."""

import os
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._serdes import deserialize_value

from grader_pipeline.runs.small_events import _UNREAD, _UNREAD_MESSAGES
from grader_pipeline_tests.runs.test_instance_storage import prepared

DAYS = dg.StaticPartitionsDefinition(["one"])


@dg.failure_hook
def hook(context: dg.HookContext) -> None:
    """Ends with an event after each step."""


@dg.asset(partitions_def=DAYS, check_specs=[dg.AssetCheckSpec("fits", asset="first")])
def first(context):
    context.log.info('Ünïcode, \N{NULL}, \\ and "quotes"')
    return dg.MaterializeResult(
        value=1,
        metadata={"rows": 5, "text": "ё", "none": dg.MetadataValue.null()},
        check_results=[dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)],
    )


@dg.asset(partitions_def=DAYS)
def second(first):
    if "MENDED" not in os.environ:
        raise dg.Failure("broken", metadata={"how": "much"})
    return first + 1


def job() -> dg.JobDefinition:
    assets = [asset.with_hooks({hook}) for asset in (first, second)]
    day = dg.define_asset_job("day", executor_def=dg.in_process_executor)
    return dg.Definitions(assets=assets, jobs=[day]).resolve_job_def("day")


def test_dagster_reads_the_events_of_a_run_as_they_were_and_retries_only_what_failed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(database_url, monkeypatch)
    with dg.DagsterInstance.get() as instance:
        ran = job().execute_in_process(partition_key="one", instance=instance, raise_on_error=False)
        assert not ran.success
        with psycopg.connect(database_url) as db:
            stored = db.execute(
                "SELECT event FROM dagster.event_logs WHERE run_id = %s ORDER BY id", [ran.run_id]
            ).fetchall()
        entries = [deserialize_value(text, dg.EventLogEntry) for (text,) in stored]
        events = [entry.dagster_event for entry in entries if entry.dagster_event]
        wanted = [plain(event) for event in ran.all_events if is_read(event)]
        assert wanted == [
            plain(event) for event in events if "PLANNED" not in event.event_type_value
        ]
        assert {event.event_type_value for event in ran.all_events} >= {
            "HOOK_SKIPPED", "LOADED_INPUT", "HANDLED_OUTPUT", "STEP_INPUT", "STEP_FAILURE",
        }  # fmt: skip
        said = [entry.user_message for entry in entries if entry.dagster_event is None]
        assert 'Ünïcode, \0, \\ and "quotes"' in said
        monkeypatch.setenv("MENDED", "1")
        options = dg.ReexecutionOptions.from_failure(ran.run_id, instance)
        again_run = dg.execute_job(
            dg.reconstructable(job),
            instance,
            reexecution_options=options,
            tags={"dagster/partition": "one"},
        )
        with again_run as again:
            assert again.success
            assert {event.step_key for event in again.all_events} - {None} == {"second"}


def plain(event: dg.DagsterEvent) -> Any:
    """Without what nobody reads."""
    event = event._replace(logging_tags={}, step_kind_value=None)
    if event.event_type_value == "ASSET_CHECK_EVALUATION":
        event = event._replace(message=None)
    return event._replace(pid=None if event.node_handle else event.pid)


def is_read(event: dg.DagsterEvent) -> bool:
    if (event.message or "").startswith(_UNREAD_MESSAGES):
        return False
    is_of_check = event.is_successful_output and event.step_output_data.output_name != "result"
    return event.event_type_value not in _UNREAD and not is_of_check

"""Brings Dagster's instance into the state that runs start from."""

import dagster as dg

from grader_pipeline.runs.run_launcher import SERVER_TAG
from grader_pipeline.settings import Settings

SHEET_WRITERS = 1

_UNDER_WAY = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def prepare(run_socket: str) -> None:
    """Create Dagster's tables, set the pools' limits, and end runs whose process is gone."""
    with dg.DagsterInstance.get() as instance:
        limits = {"grader_api": Settings().grader_api_concurrency, "sheet": SHEET_WRITERS}
        for pool, limit in limits.items():
            instance.event_log_storage.set_concurrency_slots(pool, limit)
        fail_interrupted_runs(instance, run_socket)


def fail_interrupted_runs(instance: dg.DagsterInstance, run_socket: str) -> None:
    """Fail the runs that an earlier run server at this socket had under way when it died.

    Dagster would count them among the running ones for ever. Runs of other run servers in the same
    database are left alone.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)):
        if run.tags.get(SERVER_TAG) == run_socket:
            instance.report_run_failed(
                run, "The run was interrupted: the run server ended while it was under way."
            )
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)

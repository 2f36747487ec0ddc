"""Brings Dagster's instance into the state that the launcher's Dagster starts from.

``python -m grader_pipeline.launcher.prepare_instance SOCKET`` is a process of its own, because
Dagster takes seconds to import and the launcher has other things to do meanwhile.
"""

import sys

import dagster as dg

from grader_pipeline.settings import Settings

SHEET_WRITERS = 1

_UNDER_WAY = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def main() -> None:
    """Create Dagster's tables, set the pools' limits, and end runs whose process is gone."""
    with dg.DagsterInstance.get() as instance:
        limits = {"grader_api": Settings().grader_api_concurrency, "sheet": SHEET_WRITERS}
        for pool, limit in limits.items():
            instance.event_log_storage.set_concurrency_slots(pool, limit)
        fail_interrupted_runs(instance, sys.argv[1])


def fail_interrupted_runs(instance: dg.DagsterInstance, code_socket: str) -> None:
    """Fail the runs that an earlier launcher's code server was working on when it died.

    Dagster would count them among the running ones for ever. Runs of other code servers in the
    same database are left alone.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)):
        if f'"{code_socket}"' in run.tags.get(".dagster/grpc_info", ""):
            instance.report_run_failed(
                run, "The run was interrupted: the launcher ended while it was under way."
            )
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


if __name__ == "__main__":
    main()

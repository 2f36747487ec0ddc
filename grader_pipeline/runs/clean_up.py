"""Tells Dagster that the process of a run, or a run server, is gone."""

import signal

import dagster as dg

SERVER_TAG = ".dagster/run_server"
"""Tag of a run that a run server has taken: :func:`server_tag`."""

_UNDER_WAY = [dg.DagsterRunStatus(name) for name in ("STARTING", "STARTED", "CANCELING")]
_SIGNALS = {number.value: number.name for number in signal.Signals}


def server_tag(run_socket: str, run_id: str) -> dict[str, str]:
    """The tag of a run that the run server at this socket has taken.

    It names the run too: Dagster gives a retry the tags of the run that failed.
    """
    return {SERVER_TAG: f"{run_socket} {run_id}"}


def clean_up_after_run(run_id: str, code: int) -> None:
    """Free a run's places in pools and, if it has not reported its end, report it as failed.

    For a run whose process ended with another code than 0: it failed, was interrupted, or died. The
    places would stay taken for a minute, and a run that died would count as under way for ever.
    """
    with dg.DagsterInstance.get() as instance:
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return
        text = f"The process of run {run_id} {_ending(code)}"
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, text)
        else:
            instance.report_run_failed(run, text)


def fail_interrupted_runs(instance: dg.DagsterInstance, run_socket: str) -> None:
    """Fail the runs that were under way when the last run server at this socket ended.

    Dagster would count them as running for ever. Runs of other run servers in the same database are
    left alone.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)):
        if server_tag(run_socket, run.run_id).items() <= run.tags.items():
            instance.report_run_failed(
                run, "The run was interrupted: the run server ended while it was under way."
            )
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _ending(code: int) -> str:
    if code >= 0:
        return f"unexpectedly exited with code {code}."
    text = f"was terminated by signal {-code} ({_SIGNALS.get(-code, 'unknown')})."
    if code == -signal.SIGKILL:  # the system does so when memory runs out
        text += " Give the machine more memory, or run fewer days at once."
    return text

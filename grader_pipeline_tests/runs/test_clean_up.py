"""Dagster learns how a run ended whose process, or whose run server, is gone."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from grader_pipeline.runs.clean_up import clean_up_after_run, fail_interrupted_runs, server_tag


@pytest.mark.parametrize(
    ("status", "code", "becomes", "said"),
    [
        (
            "STARTED",
            -9,
            "FAILURE",
            "was terminated by signal 9 (SIGKILL). Give the machine more memory",
        ),
        ("STARTED", -11, "FAILURE", "was terminated by signal 11 (SIGSEGV)."),
        ("STARTING", 1, "FAILURE", "unexpectedly exited with code 1."),
        ("CANCELING", 1, "CANCELED", "unexpectedly exited with code 1."),
        ("FAILURE", 1, "FAILURE", ""),
        ("SUCCESS", 1, "SUCCESS", ""),
    ],
)
def test_a_run_whose_process_is_gone_has_ended_with_the_reason_and_frees_its_pools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, code: int, becomes: str, said: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        run_id = create_run_for_test(instance, status=dg.DagsterRunStatus(status)).run_id
        pools = instance.event_log_storage
        pools.set_concurrency_slots("pool", 1)
        assert pools.claim_concurrency_slot("pool", run_id, "step").is_claimed
        clean_up_after_run(run_id, code)
        run = instance.get_run_by_id(run_id)
        assert run
        assert run.status.value == becomes
        events = [entry.dagster_event for entry in instance.all_logs(run_id)]
        assert any(said in (event.message or "") for event in events if event) or not said
        assert pools.get_concurrency_info("pool").active_slot_count == 0


def test_only_runs_that_a_run_server_of_the_own_socket_had_taken_are_failed_when_it_died() -> None:
    own, of_others = "/tmp/own/runs.sock", "/tmp/others/runs.sock"

    def run(status: str, socket: str) -> str:
        run_id = create_run_for_test(instance, status=dg.DagsterRunStatus(status)).run_id
        instance.add_run_tags(run_id, server_tag(socket, run_id))
        return run_id

    with dg.instance_for_test() as instance:
        started, waiting = run("STARTED", own), run("NOT_STARTED", own)
        of_another = run("STARTED", of_others)
        # Dagster copies the tags of a run to its retry, which no server has taken yet.
        retry = create_run_for_test(
            instance, status=dg.DagsterRunStatus.STARTING, tags=server_tag(own, started)
        ).run_id
        fail_interrupted_runs(instance, own)
        found = {
            run_id: found.status.value
            for run_id in (started, waiting, of_another, retry)
            if (found := instance.get_run_by_id(run_id))
        }
    assert found == {
        started: "FAILURE", waiting: "NOT_STARTED", of_another: "STARTED", retry: "STARTING",
    }  # fmt: skip

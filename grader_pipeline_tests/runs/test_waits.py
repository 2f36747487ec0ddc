"""Runs wait for backfills and pools a second at most, and sleep meanwhile.

Dagster promises nothing about its waits. These tests fail when a release waits in another way.
"""

import logging
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.execution.plan import instance_concurrency_context
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.op_concurrency_limits_counter import GlobalOpConcurrencyLimitsCounter
from dagster._core.storage.dagster_run import RunOpConcurrency
from dagster._core.test_utils import create_run_for_test
from dagster._daemon import controller
from dagster._daemon.backfill import execute_backfill_iteration_loop
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from grader_pipeline.runs import daemon, waits

ALLOTTED = "DAGSTER_OP_CONCURRENCY_KEYS_ALLOTTED_FOR_STARTED_RUN_SECONDS"


@pytest.fixture(autouse=True)
def _own_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in (
        (controller, "DEFAULT_DAEMON_INTERVAL_SECONDS"),
        (instance_concurrency_context, "INITIAL_INTERVAL_VALUE"),
        (InstanceConcurrencyContext, "interval_to_next_pending_claim_check"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setenv(ALLOTTED, "5")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        instance.event_log_storage.set_concurrency_slots("pool", 1)
        yield instance


class Waits(threading.Event):
    """A daemon's wait for its end, which notes the seconds and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return False


def test_a_backfill_waits_for_the_daemon_no_longer_than_a_sensor(
    instance: dg.DagsterInstance,
) -> None:
    usual = controller.DEFAULT_DAEMON_INTERVAL_SECONDS
    daemon.look_for_backfills()
    ends = Waits()
    context = cast("Any", SimpleNamespace(instance=instance))
    loop = execute_backfill_iteration_loop(context, logging.getLogger("test"), ends)
    while not ends.seconds:
        next(loop)
    (seconds,) = ends.seconds
    assert seconds is not None
    assert 0 < seconds <= 5 < usual


def test_a_queued_run_is_launched_soon_after_another_one_and_an_idle_queue_is_looked_at_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = QueuedRunCoordinatorDaemon
    for name in ("_dequeue_run", "run_iteration", "core_loop"):
        monkeypatch.setattr(queue, name, getattr(queue, name))
    runs = ["a run"]

    def looked(queue: Any, *_: object) -> Iterator[None]:
        if runs:
            queue._dequeue_run(runs.pop())
        yield None

    monkeypatch.setattr(queue, "run_iteration", looked)
    monkeypatch.setattr(queue, "_dequeue_run", lambda *_: True)
    daemon.launch_soon()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    ends = Waits()
    loop = queue(interval_seconds=1).core_loop(cast("Any", None), ends)

    def wait_after_a_look() -> float | None:
        ends.seconds.clear()
        while not ends.seconds:
            next(loop)
        return ends.seconds[0]

    usual = 1
    assert wait_after_a_look() == daemon.LAUNCH_SECONDS < usual
    now += 30
    assert wait_after_a_look() == usual
    runs.append("another run")
    while runs:
        next(loop)
    assert wait_after_a_look() == daemon.LAUNCH_SECONDS


def test_a_run_is_launched_as_soon_as_the_one_before_has_left_the_pool(
    instance: dg.DagsterInstance,
) -> None:
    wants = RunOpConcurrency(
        root_key_counts={"pool": 1}, has_unconstrained_root_nodes=False, all_pools={"pool"}
    )
    before, queued = (
        instance.add_run(dg.DagsterRun(job_name="job", run_op_concurrency=wants)) for _ in "12"
    )
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, before.job_name), before.run_id
    )
    records = instance.get_run_records(dg.RunsFilter(run_ids=[before.run_id]))

    def is_blocked() -> bool:
        limits = instance.event_log_storage.get_pool_limits()
        pools = GlobalOpConcurrencyLimitsCounter(instance, [queued], records, {"pool"}, limits)
        return pools.is_blocked(queued)

    assert is_blocked()  # by itself, for the 5 s from its start
    daemon.launch_where_a_pool_has_room()
    assert not is_blocked()
    instance.event_log_storage.claim_concurrency_slot("pool", before.run_id, "step")
    assert is_blocked()


def test_a_run_that_waits_for_a_pool_sleeps_and_asks_again_within_a_second(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    first, second = (create_run_for_test(instance) for _ in "12")
    waits.sleep_while_a_pool_is_full()
    with (
        InstanceConcurrencyContext(instance, first) as holder,
        InstanceConcurrencyContext(instance, second) as waiter,
    ):
        assert holder.claim("pool", "step")
        assert not waiter.claim("pool", "step")
        seconds = waiter.interval_to_next_pending_claim_check()
        assert 0 < seconds < 1
        holder.free_step("step")
        assert not waiter.claim("pool", "step")
        now += seconds + 0.001
        assert waiter.interval_to_next_pending_claim_check() == 0
        assert waiter.claim("pool", "step")
        assert waiter.interval_to_next_pending_claim_check() == 0

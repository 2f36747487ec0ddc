"""The daemon takes up what is asked of it soon."""

import logging
import threading
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
from dagster._daemon import controller
from dagster._daemon.backfill import execute_backfill_iteration_loop

from grader_pipeline.launcher import daemon


class Waits(threading.Event):
    """A daemon's wait for its end, which tells for how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return False


def test_a_backfill_waits_for_the_daemon_no_longer_than_a_sensor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = controller.DEFAULT_DAEMON_INTERVAL_SECONDS
    monkeypatch.setattr(controller, "DEFAULT_DAEMON_INTERVAL_SECONDS", usual)
    daemon.look_often()
    waits = Waits()
    with dg.instance_for_test() as instance:
        context = cast("Any", SimpleNamespace(instance=instance))
        loop = execute_backfill_iteration_loop(context, logging.getLogger("test"), waits)
        while not waits.seconds:
            next(loop)
    (seconds,) = waits.seconds
    assert seconds is not None
    assert 0 < seconds <= 5 < usual

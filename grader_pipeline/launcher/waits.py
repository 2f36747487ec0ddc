"""How long Dagster waits, where none of its settings says so.

Days asked for by the dozen mostly wait for each other, and Dagster's own waits are made for runs of
minutes. Each function says what Dagster does by itself. They change the process that calls them.
"""

import os
import time
from typing import Any, cast

from dagster._core.execution.plan import instance_concurrency_context
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._daemon import controller
from dagster._daemon.sensor import MIN_INTERVAL_LOOP_TIME

_CLAIM_SECONDS = 0.1


def look_for_backfills() -> None:
    """Have the daemon look for backfills as often as for sensors.

    It looks every 30 s: days asked for in the UI would not begin for half a minute, and a backfill
    would count as running for as long after its last day.
    """
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = MIN_INTERVAL_LOOP_TIME


def launch_where_a_pool_has_room() -> None:
    """Have the daemon count a run against its first asset's pool only while it is in there.

    It counts each for 5 s from its start, after which our runs are over: with two places for the
    grader's API, a minute would begin 24 runs.
    """
    os.environ["DAGSTER_OP_CONCURRENCY_KEYS_ALLOTTED_FOR_STARTED_RUN_SECONDS"] = "0"


def sleep_while_a_pool_is_full() -> None:
    """Have a run that waits for a pool sleep until it asks again, and ask soon.

    It means to, but never sleeps: it goes around in circles, which took a quarter of a backfill's
    CPU. And it asks after a second at first, while the sheet is written in less.
    """
    instance_concurrency_context.INITIAL_INTERVAL_VALUE = _CLAIM_SECONDS  # type: ignore[assignment]
    context = cast("Any", InstanceConcurrencyContext)
    context.interval_to_next_pending_claim_check = _until_next_claim


def _until_next_claim(context: InstanceConcurrencyContext) -> float:
    now = time.time()
    return max(0, min((at - now for at in context._pending_timeouts.values()), default=0))

"""How long a run waits for a pool, where no setting of Dagster says so.

Days by the dozen mostly wait for each other, and Dagster's own waits are made for runs of minutes.
The daemon's are in :mod:`grader_pipeline.runs.daemon`, for a run needs nothing of the daemon.
"""

import time
from typing import Any, cast

from dagster._core.execution.plan import instance_concurrency_context
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

_CLAIM_SECONDS = 0.1


def sleep_while_a_pool_is_full() -> None:
    """Have a run of this process that waits for a pool sleep until it asks again, and ask soon.

    It means to, but never sleeps: it goes around in circles, which took a quarter of a backfill's
    CPU. And it asks after a second at first, while the sheet is written in less.
    """
    instance_concurrency_context.INITIAL_INTERVAL_VALUE = _CLAIM_SECONDS  # type: ignore[assignment]
    context = cast("Any", InstanceConcurrencyContext)
    context.interval_to_next_pending_claim_check = _until_next_claim


def _until_next_claim(context: InstanceConcurrencyContext) -> float:
    now = time.time()
    return max(0, min((at - now for at in context._pending_timeouts.values()), default=0))

"""The limits of the pools: how many runs may be in an asset at the same time.

An asset names its pool (``pool=`` in ``assets/``). A pool without a limit here has the limit 1, see
``roles/dagster.yaml``.
"""

import dagster as dg

from grader_pipeline.settings import Settings


def set_limits(instance: dg.DagsterInstance) -> dict[str, int]:
    """Store the limits in Dagster's instance, and give them.

    A limit that somebody set in the UI is replaced.
    """
    limits = {"grader_api": Settings().grader_api_concurrency}
    for pool, limit in limits.items():
        instance.event_log_storage.set_concurrency_slots(pool, limit)
    return limits

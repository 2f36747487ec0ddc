"""Dagster's daemon, waiting less where none of Dagster's settings says how long.

``python -m grader_pipeline.runs.daemon`` takes the arguments of ``dagster-daemon``. Each
function says what Dagster does by itself, and changes the process that calls it.
"""

import os

from dagster._daemon import cli, controller
from dagster._daemon.sensor import MIN_INTERVAL_LOOP_TIME


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


if __name__ == "__main__":
    look_for_backfills()
    launch_where_a_pool_has_room()
    cli.main()

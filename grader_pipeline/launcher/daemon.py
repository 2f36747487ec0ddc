"""Dagster's daemon, looking for backfills as often as for sensors.

``python -m grader_pipeline.launcher.daemon`` takes the arguments of ``dagster-daemon``. That one
looks every 30 s, which is in no setting: days asked for in the UI would not begin for half a
minute, and a backfill would count as running for as long after its last day.
"""

from dagster._daemon import cli, controller
from dagster._daemon.sensor import MIN_INTERVAL_LOOP_TIME


def look_often() -> None:
    """Set the interval for loops that begin in this process from now on."""
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = MIN_INTERVAL_LOOP_TIME


if __name__ == "__main__":
    look_often()
    cli.main()

"""Dagster's daemon with our waits.

``python -m grader_pipeline.launcher.daemon`` takes the arguments of ``dagster-daemon``.
"""

from dagster._daemon import cli

from grader_pipeline.launcher import waits

if __name__ == "__main__":
    waits.look_for_backfills()
    waits.launch_where_a_pool_has_room()
    cli.main()

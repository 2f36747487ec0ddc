"""The daemon: schedules, sensors, mails, backfills and the queue of runs. There is one."""

import os
import signal

import dagster as dg

from grader_pipeline.roles.home_lock import sole_owner
from grader_pipeline.roles.lease import installation_key, sole_installation
from grader_pipeline.roles.places import required_url
from grader_pipeline.roles.start import role
from grader_pipeline.runs import daemon, pool_limits
from grader_pipeline.settings import Settings


def serve(settings: Settings) -> None:
    """Run Dagster's daemon until a signal ends this process.

    Raises LauncherError when this GRADER_HOME has a daemon already, or another installation works
    on the database.
    """
    with role(settings) as workspace, sole_owner(settings.dagster_home / "daemon"):
        key = installation_key(settings.grader_home)
        # A signal to the process itself ends the daemon as any other does.
        with sole_installation(
            required_url(settings), key, settings.grader_home,
            when_lost=lambda: os.kill(os.getpid(), signal.SIGTERM),
        ) as lease:  # fmt: skip
            with dg.DagsterInstance.get() as instance:
                pool_limits.set_limits(instance)
            daemon.run(workspace)
            lease.require()

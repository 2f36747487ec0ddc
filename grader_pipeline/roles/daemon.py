"""The daemon: schedules, sensors, mails, backfills and the queue of runs. There is one."""

import os
import signal
from functools import partial
from pathlib import Path

import dagster as dg

from grader_pipeline.roles.home_lock import sole_owner
from grader_pipeline.roles.lease import installation_key, sole_installation
from grader_pipeline.roles.places import required_url
from grader_pipeline.roles.start import run_role
from grader_pipeline.runs import daemon, pool_limits
from grader_pipeline.settings import Settings


def serve(settings: Settings) -> None:
    """Run Dagster's daemon until a signal ends this process.

    Raises LauncherError when this GRADER_HOME has a daemon already, or another installation works
    on the database.
    """
    run_role(settings, partial(_serve, settings))


def _serve(settings: Settings, workspace: Path) -> None:
    home = settings.grader_home
    with (
        sole_owner(settings.dagster_home / "daemon"),
        sole_installation(
            required_url(settings), installation_key(home), home, when_lost=_end
        ) as lease,
    ):
        with dg.DagsterInstance.get() as instance:
            pool_limits.set_limits(instance)
        daemon.run(workspace)
        lease.require()


def _end() -> None:
    # The daemon ends as on any other signal.
    os.kill(os.getpid(), signal.SIGTERM)

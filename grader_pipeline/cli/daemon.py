"""``grader-pipeline daemon``: runs schedules, sensors, mails, backfills and the queue of runs."""

import argparse

from grader_pipeline.roles import daemon
from grader_pipeline.settings import Settings


def run(_: argparse.Namespace) -> None:
    """Serve until a signal ends this process. Raises LauncherError as ``roles/start.py`` says."""
    daemon.serve(Settings())

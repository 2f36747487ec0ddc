"""``grader-pipeline worker``: executes runs."""

import argparse

from grader_pipeline.roles import worker
from grader_pipeline.settings import Settings


def run(_: argparse.Namespace) -> None:
    """Serve until a signal ends this process. Raises LauncherError as ``roles/start.py`` says."""
    worker.serve(Settings())

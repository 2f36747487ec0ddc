"""``grader-pipeline ui``: serves Dagster's UI, with the pictures of the reports and /metrics."""

import argparse

from grader_pipeline.roles import ui
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens, and whether it only shows."""
    parser.add_argument("--host", default="127.0.0.1", help="address of the UI")
    parser.add_argument("--port", type=int, default=3000, help="port of the UI")
    parser.add_argument(
        "--read-only", action="store_true", help="nobody can start or change anything there"
    )


def run(chosen: argparse.Namespace) -> None:
    """Serve until a signal ends this process. Raises LauncherError as ``roles/start.py`` says."""
    ui.serve(Settings(), chosen.host, chosen.port, read_only=chosen.read_only)

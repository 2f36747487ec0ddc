"""``grader-pipeline code-server``: serves the code to the UI and the daemon."""

import argparse

from grader_pipeline.roles import code_server
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens."""
    parser.add_argument("--host", default="127.0.0.1", help="address, with --port")
    parser.add_argument(
        "--port", type=int, help="port; without it a socket that this machine's UI and daemon find"
    )


def run(chosen: argparse.Namespace) -> None:
    """Serve until a signal ends this process. Raises LauncherError as ``roles/start.py`` says."""
    code_server.serve(Settings(), chosen.host, chosen.port)

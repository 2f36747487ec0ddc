"""``grader-pipeline sample-api``: serves the sample grader until a signal ends it."""

import argparse
import signal

from grader_pipeline.sample_api.__main__ import add_arguments, serve_chosen

__all__ = ["add_arguments", "run"]


def run(chosen: argparse.Namespace) -> None:
    """Serve. The server has its own way to end on a signal."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    serve_chosen(chosen)

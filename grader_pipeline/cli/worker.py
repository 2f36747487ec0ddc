"""``grader-pipeline worker``: executes runs."""

import argparse

from grader_pipeline.roles import worker
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many runs at once, with a broker."""
    parser.add_argument(
        "--slots", type=_slots, help=f"runs at once, with GRADER_BROKER_URL ({worker.SLOTS})"
    )


def run(chosen: argparse.Namespace) -> None:
    """Serve until a signal ends this process. Raises LauncherError as ``roles/worker.py`` says."""
    worker.serve(Settings(), chosen.slots)


def _slots(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("write a whole number from 1 on")
    return int(text)

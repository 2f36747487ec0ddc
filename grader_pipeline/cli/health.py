"""``grader-pipeline health ROLE``: exits with 0 if what a role serves is served, else with 1."""

import argparse

from grader_pipeline.roles.health import ROLES
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The role, and where it listens."""
    parser.add_argument("role", choices=sorted(ROLES), metavar="ROLE", help=", ".join(ROLES))
    parser.add_argument("--port", type=int, default=3000, help="port of the UI on this host")


def run(chosen: argparse.Namespace) -> int:
    """Print why it is not served. Raises LauncherError when DATABASE_URL is needed and not set."""
    trouble = ROLES[chosen.role](Settings(), chosen.port)
    if trouble is None:
        return 0
    print(f"{chosen.role}: {trouble}")
    return 1

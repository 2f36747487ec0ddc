"""What the files of deploy/ may name: the product's commands, roles and settings."""

import argparse
from collections.abc import Sequence
from importlib import import_module

from grader_pipeline.cli import command
from grader_pipeline.roles.health import ROLES
from grader_pipeline.settings import variables

SERVED = set(ROLES)
"""The roles that serve until a signal ends them."""

OTHERS = {"HOME", "MPLCONFIGDIR", "PATH", "PYTHONUNBUFFERED"}
"""Variables of other programs that the files set."""


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments as the product's command takes them. Fails the test if it does not."""
    name, *others = arguments
    assert name in command._COMMANDS
    file = import_module(f"grader_pipeline.cli.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(exit_on_error=False)
    getattr(file, "add_arguments", lambda _: None)(parser)
    chosen, left = parser.parse_known_args(others)
    assert left == [], f"grader-pipeline {name} does not take {left}"
    chosen.command = name
    return chosen


def unknown(names: set[str]) -> set[str]:
    """Those of the names that are no variable of the product or of programs that it uses."""
    return names - variables() - OTHERS

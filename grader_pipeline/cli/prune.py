"""``grader-pipeline prune``: removes files and runs that are older than the settings keep."""

import argparse
import os

import dagster as dg

from grader_pipeline.cli.database import database_url
from grader_pipeline.prune import prune_files, prune_runs
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.migrate import opened, require_schema
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to remove anything."""
    parser.add_argument("--dry-run", action="store_true", help="say what it would remove")


def run(chosen: argparse.Namespace) -> None:
    """Remove old files and runs, and print how many.

    Raises LauncherError when the database or the object store cannot be used, OSError as a local
    storage does.
    """
    settings = Settings()
    verb = "would be removed" if chosen.dry_run else "removed"
    try:
        files = prune_files(dry_run=chosen.dry_run)
    except dg.Failure as failure:
        raise LauncherError(failure.description or str(failure)) from None
    print(f"{files} files of days older than {settings.grader_keep_answers} {verb}.")
    with database_url(settings) as url:
        # A deployment may have an instance of its own.
        has_own = "DAGSTER_HOME" in os.environ
        if not has_own:
            require_schema(settings, url)
        with dg.DagsterInstance.get() if has_own else opened(settings, url) as instance:
            runs = prune_runs(instance, dry_run=chosen.dry_run)
    print(f"{runs} runs older than {settings.grader_keep_runs} {verb}.")

"""``grader-pipeline report``: writes the reports of a period as one page."""

import argparse
from pathlib import Path

from grader_pipeline.cli.database import opened
from grader_pipeline.cli.days import day
from grader_pipeline.page.page import write_report
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The first and the last day of the period, and the file."""
    parser.add_argument("--from", dest="start", type=day, required=True, metavar="DAY")
    parser.add_argument("--to", dest="end", type=day, required=True, metavar="DAY")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")


def run(chosen: argparse.Namespace) -> None:
    """Write the page, from DATABASE_URL or, if that is unset, from the embedded database.

    Raises LauncherError when no day of the period is stored, the database cannot be used, or the
    file cannot be written.
    """
    with opened(Settings()) as postgres:
        write_report(postgres, chosen.start, chosen.end, chosen.out)
    print(f"Report: {chosen.out.absolute()}")

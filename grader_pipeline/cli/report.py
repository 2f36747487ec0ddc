"""``grader-pipeline report``: writes the reports of a period as one page."""

import argparse
import datetime as dt
from pathlib import Path

from grader_pipeline.cli.database import opened
from grader_pipeline.cli.days import day
from grader_pipeline.page.page import write_report
from grader_pipeline.settings import Settings

_DAYS = 28
"""How long the period is if its first day is not named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The first and the last day of the period, and the file."""
    form = "2026-11-26 or 26.11.2026; without: "
    start = f"{form}the page has {_DAYS} days"
    parser.add_argument("--from", dest="start", type=day, metavar="DAY", help=start)
    parser.add_argument("--to", dest="end", type=day, metavar="DAY", help=f"{form}yesterday")
    out = "without: report-FROM-TO.html in the current folder"
    parser.add_argument("--out", type=Path, metavar="FILE", help=out)


def run(chosen: argparse.Namespace) -> None:
    """Write the page, from DATABASE_URL or, if that is unset, from the embedded database.

    Raises LauncherError when no day of the period is stored, the database cannot be used, or the
    file cannot be written.
    """
    settings = Settings()
    yesterday = dt.datetime.now(settings.timezone).date() - dt.timedelta(days=1)
    end = chosen.end or yesterday
    start = chosen.start or end - dt.timedelta(days=_DAYS - 1)
    out = chosen.out or Path(f"report-{start}-{end}.html")
    with opened(settings) as postgres:
        write_report(postgres, start, end, out)
    print(f"Report: {out.absolute()}")

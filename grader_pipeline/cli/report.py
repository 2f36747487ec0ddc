"""``grader-pipeline report``: writes the reports of a period as one page."""

import argparse
import datetime as dt
from contextlib import nullcontext
from pathlib import Path

import dagster as dg

from grader_pipeline.local.embedded_postgres import embedded_postgres
from grader_pipeline.local.errors import LauncherError
from grader_pipeline.page.page import write_report
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The first and the last day of the period, and the file."""
    day = dt.date.fromisoformat
    parser.add_argument("--from", dest="start", type=day, required=True, metavar="DAY")
    parser.add_argument("--to", dest="end", type=day, required=True, metavar="DAY")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")


def run(chosen: argparse.Namespace) -> None:
    """Write the page, from DATABASE_URL or, if that is unset, from the embedded database.

    Raises LauncherError when no day of the period is stored, the database cannot be used, or the
    file cannot be written.
    """
    settings = Settings()
    own = nullcontext() if settings.database_url else embedded_postgres(settings.grader_home)
    with own as url:
        postgres = Postgres.at(url) if url else Postgres()
        try:
            write_report(postgres, chosen.start, chosen.end, chosen.out)
        except dg.Failure as failure:
            raise LauncherError(failure.description or str(failure)) from None
    print(f"Report: {chosen.out.absolute()}")

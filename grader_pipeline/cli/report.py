"""``grader-pipeline report``: the reports of a period as one page, to read, print or send on."""

import datetime as dt
import os
from contextlib import nullcontext
from pathlib import Path

import dagster as dg

from grader_pipeline.local.embedded_postgres import embedded_postgres
from grader_pipeline.local.errors import LauncherError
from grader_pipeline.page.page import write_report
from grader_pipeline.settings import Settings


def report(settings: Settings, start: dt.date, end: dt.date, out: Path) -> None:
    """Write the page of the days from ``start`` to ``end``, both included, to ``out``.

    Raises LauncherError when there is nothing to write it from, OSError when it cannot be written.
    """
    own = nullcontext() if settings.database_url else embedded_postgres(settings.grader_home)
    with own as url:
        if url:
            os.environ["DATABASE_URL"] = url
        try:
            write_report(start, end, out)
        except dg.Failure as failure:
            raise LauncherError(failure.description or str(failure)) from None
    print(f"Report: {out.absolute()}")

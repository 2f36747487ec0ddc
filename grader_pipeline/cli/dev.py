"""``grader-pipeline dev``: serves the Dagster UI, with everything it needs, until it is stopped."""

import argparse
import time
from contextlib import closing

from grader_pipeline.local.code_watch import CodeWatch
from grader_pipeline.local.stack import running
from grader_pipeline.reports.stored_days import calendar_notices, stored_calendar
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the UI listens, and whether it shows the demo."""
    parser.add_argument("--host", default="127.0.0.1", help="address of the UI")
    parser.add_argument("--port", type=int, default=3000, help="port of the UI")
    parser.add_argument("--demo", action="store_true", help="show the demo, whatever is set")


def run(chosen: argparse.Namespace) -> None:
    """Serve the UI until Stopped is raised.

    Raises LauncherError when a process does not start, or ends again right after its start.
    """
    with running(Settings(), chosen.host, chosen.port) as stack:
        stack.start_daemon()
        print(f"Dagster is at {stack.url} - Ctrl+C stops it.", flush=True)
        if error := stack.code_error():
            print(f"The code cannot be loaded. It is loaded again when it changes. {error}")
        _say_notices(stack.database_url)
        watch = CodeWatch(stack.services)
        while True:
            stack.services.check()
            watch.look()
            time.sleep(0.5)


def _say_notices(database_url: str) -> None:
    with closing(Postgres.at(database_url)) as postgres, postgres.transaction() as db:
        for notice in calendar_notices(stored_calendar(db)):
            print(notice, flush=True)

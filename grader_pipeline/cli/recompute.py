"""``grader-pipeline recompute``: computes stored days again out of the table grader."""

import argparse
import datetime as dt
import sys

from grader_pipeline.cli.database import opened
from grader_pipeline.cli.days import day
from grader_pipeline.refresh import refresh_waiting
from grader_pipeline.reports.stored_days import mark_days, stored_calendar
from grader_pipeline.resources.learner_lists import note
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.roles.errors import LauncherError, Stopped
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.resource import Sheets

_LINE_EVERY = 25

RECORDS_FOLLOW = "What Dagster's UI shows of them follows with the job refresh."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The first and the last day; without them, all stored days."""
    parser.add_argument("--from", dest="start", type=day, metavar="DAY")
    parser.add_argument("--to", dest="end", type=day, metavar="DAY")


def run(chosen: argparse.Namespace) -> None:
    """Roll the days up again, compute their reports and those that look back at them, show them.

    Raises LauncherError when the database cannot be used, another process computes days again, or
    GRADER_TIMEZONE has changed and only some days are named.
    """
    with opened(Settings()) as postgres, postgres.alone("refresh") as is_alone:
        if not is_alone:
            raise LauncherError(
                "The job refresh, or another recompute, is computing days again. Repeat this when "
                "it has ended."
            )
        _mark(postgres, chosen.start, chosen.end)
        try:
            done = refresh_waiting(postgres, Sheets(), None, say)
        except Stopped:
            print(
                "\nWhat is done stays. The other days wait: repeat `grader-pipeline recompute`, or "
                "let the job refresh compute them."
            )
            raise
    print(f"\nComputed {done} days again. {RECORDS_FOLLOW}")


def _mark(postgres: Postgres, start: dt.date | None, end: dt.date | None) -> None:
    settings = Settings()
    with postgres.transaction() as db:
        known = stored_calendar(db)
        if known and known["timezone"] != settings.grader_timezone and (start or end):
            raise LauncherError(
                f"GRADER_TIMEZONE is {settings.grader_timezone}, and the stored days were computed "
                f"with {known['timezone']}: each day has other attempts now. Leave out --from and "
                "--to."
            )
        days = mark_days(db, start or dt.date.min, end or dt.date.max)
        note(db, "recompute", days=days)
    print(f"{len(days)} days are to be rolled up again, and the reports that look back at them.")


def say(what: str, done: int, of: int) -> None:
    """Show how far the work is: on a terminal in one line."""
    is_terminal = sys.stdout.isatty()
    if is_terminal or done % _LINE_EVERY == 0 or done == of:
        line = f"{what}: {done} of {of}"
        print(f"\r{line:<60}" if is_terminal else line, end="" if is_terminal else "\n", flush=True)

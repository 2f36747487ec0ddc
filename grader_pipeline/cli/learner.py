"""``grader-pipeline learner``: leaves a learner out of the reports, or forgets one."""

import argparse
import sys
from collections.abc import Callable

from grader_pipeline.cli.database import opened
from grader_pipeline.cli.recompute import RECORDS_FOLLOW, say
from grader_pipeline.learners.exclude import exclude, include
from grader_pipeline.learners.forget import forget
from grader_pipeline.refresh import refresh_waiting
from grader_pipeline.reports.stored_days import changed_days, stored_calendar
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.roles.errors import LauncherError, Stopped
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.resource import Sheets

_LONGEST = 255
_WORD = "forget"

_DEEDS = {
    "exclude": "leave a learner, such as a test account, out of the reports; the attempts stay",
    "include": "take an excluded learner into the reports again",
    "forget": "remove a learner from every table and stored file, for good",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and the learner."""
    parser.epilog = (
        "ID is the learner's user_id. The shell keeps what you type: `-` reads the id from "
        "standard input instead."
    )
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="WHAT")
    for name, explanation in _DEEDS.items():
        deed = deeds.add_parser(name, help=explanation, description=explanation)
        deed.add_argument("learner", metavar="ID")
        if name == "forget":
            deed.add_argument("--yes", action="store_true", help="ask nothing")


def run(chosen: argparse.Namespace) -> None:
    """Do it, and compute the days again that it changed.

    Raises LauncherError if there is no id, nobody confirms, or the database cannot be used.
    """
    learner = _id(chosen.learner)
    if chosen.deed == "forget" and not chosen.yes:
        _confirm(reads_id=chosen.learner == "-")
    deeds: dict[str, Callable[[Postgres, str], None]] = {
        "exclude": _exclude, "include": _include, "forget": _forget
    }  # fmt: skip
    with opened(Settings()) as postgres:
        deeds[chosen.deed](postgres, learner)
        _compute_again(postgres)


def _id(given: str) -> str:
    learner = sys.stdin.readline().rstrip("\r\n") if given == "-" else given
    if not learner or len(learner) > _LONGEST or "\0" in learner:
        raise LauncherError(f"A learner's id has 1 to {_LONGEST} characters.")
    return learner


def _confirm(*, reads_id: bool) -> None:
    if reads_id or not sys.stdin.isatty():
        raise LauncherError("Nobody can confirm here: add --yes.")
    print(
        "This removes the learner from all tables, reports and stored answers. It cannot be undone."
    )
    if input(f"Type {_WORD} to go on: ").strip() != _WORD:
        raise LauncherError("Nothing was done.")


def _exclude(postgres: Postgres, learner: str) -> None:
    days = exclude(postgres, learner)
    if days is None:
        print("The learner is excluded already.")
    elif not days:
        print(
            "Excluded. No attempt of this id is stored: check that it is the right one. If it is "
            "wrong, `include` it again."
        )
    else:
        print(f"Excluded. The learner has attempts on {len(days)} days.")


def _include(postgres: Postgres, learner: str) -> None:
    days = include(postgres, learner)
    if days is None:
        raise LauncherError("The learner is not excluded.")
    print(f"Included. The learner has attempts on {len(days)} days.")


def _forget(postgres: Postgres, learner: str) -> None:
    try:
        done = forget(postgres, learner, say)
    except Stopped:
        print("\nThe learner is on the list. Repeat the command: it does what is left.")
        raise
    print(
        f"\nForgotten. Removed: {done.attempts} attempts, {done.elements} elements in {done.files} "
        f"files, {done.rows} rows of other tables, {done.mails} mails. Days: {len(done.days)}.\n"
        "Backups, sent mails and the sheet's version history: see docs/privacy.md."
    )


def _compute_again(postgres: Postgres) -> None:
    """Compute the days that wait. If the job refresh is at it, it does it."""
    with postgres.transaction() as db:
        if stored_calendar(db) is None:
            return  # nothing was ever computed
        days = {*changed_days(db), *waiting_days(db, records=False)}
    if not days:
        return
    with postgres.alone("refresh") as is_alone:
        if not is_alone:
            print(f"{len(days)} days wait. The job refresh computes them again.")
            return
        print(f"{len(days)} days wait, and those that look back at them.")
        try:
            done = refresh_waiting(postgres, Sheets(), None, say)
        except Stopped:
            print("\nDays wait: let the job refresh compute them, or `grader-pipeline recompute`.")
            raise
    print(f"\nComputed {done} days again. {RECORDS_FOLLOW}")

"""``grader-pipeline mail``: lists the mails of the outbox, and sends them again."""

import argparse

from grader_pipeline.cli.database import opened
from grader_pipeline.logs import without_secrets
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and the keys of the mails."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    explanation = "show the mails of 30 days, and all that are not sent, with their last error"
    actions.add_parser("list", help=explanation, description=explanation)
    explanation = "try mails again, now and for another day, for those who did not get them"
    resend = actions.add_parser("resend", help=explanation, description=explanation)
    resend.add_argument(
        "keys",
        nargs="*",
        metavar="KEY",
        help="as `mail list` shows it; without: all not sent",
    )


def run(chosen: argparse.Namespace) -> None:
    """List the mails of the outbox, or queue some again.

    Raises LauncherError when the database cannot be used, or a key is of no mail that is not sent.
    """
    settings = Settings()
    with opened(settings) as postgres:
        if chosen.action == "list":
            _list(postgres, settings)
        else:
            _resend(postgres, chosen.keys)


def _list(postgres: Postgres, settings: Settings) -> None:
    with postgres.transaction() as db:
        mails = db.execute(statement("mail/list")).fetchall()
    for mail in mails:
        attempts = f"{mail['attempts']} attempt{'s' if mail['attempts'] != 1 else ''}"
        lines = [f"{mail['key']}  {mail['state']}, {attempts}", f"  {mail['subject']}"]
        if mail["last_error"]:
            lines.append(f"  last error: {without_secrets(mail['last_error'], settings)}")
        for line in lines:
            # A server's answer can have characters that a terminal obeys.
            print("".join(sign if sign.isprintable() else " " for sign in line))
    if not mails:
        print("The outbox has no mail.")


def _resend(postgres: Postgres, keys: list[str]) -> None:
    with postgres.transaction() as db:
        queued = db.execute(statement("mail/resend"), {"keys": keys or None}).fetchall()
        if missing := sorted(set(keys) - {mail["key"] for mail in queued}):
            raise LauncherError(
                f"No mail waits or failed under {', '.join(missing)}; nothing was changed. "
                "`grader-pipeline mail list` shows keys and states."
            )
    for mail in queued:
        print(f"queued: {mail['key']}")
    print(f"Mails to send again: {len(queued)}. The mail sensor sends them while the daemon runs.")

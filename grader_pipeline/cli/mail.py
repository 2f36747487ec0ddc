"""``grader-pipeline mail``: lists the mails of the outbox, sends them again, and tries one out."""

import argparse
import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress

from grader_pipeline.cli.database import opened
from grader_pipeline.logs import without_secrets
from grader_pipeline.mail import channels, courses, outbox, run_mails
from grader_pipeline.mail.addressing import course_readers, links_to
from grader_pipeline.mail.letter import write
from grader_pipeline.mail.message import Links
from grader_pipeline.mail.mime import to_bytes
from grader_pipeline.mail.resource import Mail, mail_place, sender_of
from grader_pipeline.mailboxes import FORM, Mailbox, mailboxes
from grader_pipeline.reports.day_metrics import days_that_wait
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and the keys of the mails."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    explanation = (
        "show the mails of 30 days, and all that are not sent, with the addresses that a mail has "
        "not reached and the last error"
    )
    actions.add_parser("list", help=explanation, description=explanation)
    explanation = "try mails again, now and for another day, for those who did not get them"
    resend = actions.add_parser("resend", help=explanation, description=explanation)
    resend.add_argument(
        "keys",
        nargs="*",
        metavar="KEY",
        help="as `mail list` shows it; without: all not sent",
    )
    explanation = (
        "send the mail of yesterday, or of the newest day that has one, to one address or channel; "
        "nobody else gets it, and the outbox stays as it is"
    )
    test = actions.add_parser("test", help=explanation, description=explanation)
    test.add_argument(
        "address",
        metavar="ADDRESS",
        help="as anna@school.example, or the name of a channel, as tgram-3fa9: doctor lists them",
    )


def run(chosen: argparse.Namespace) -> None:
    """List the mails of the outbox, queue some again, or send one to try it out.

    Raises LauncherError when the database cannot be used, a key is of no mail that is not sent, no
    day has a report, or the mail of the trial is not taken.
    """
    settings = Settings()
    with opened(settings) as postgres:
        if chosen.action == "list":
            _list(postgres, settings)
        elif chosen.action == "test":
            _test(postgres, settings, chosen.address)
        else:
            _resend(postgres, chosen.keys)


def _list(postgres: Postgres, settings: Settings) -> None:
    with postgres.transaction() as db:
        given = {"timezone": settings.grader_timezone}
        mails = db.execute(statement("mail/list"), given).fetchall()
    for mail in mails:
        attempts = f"{mail['attempts']} attempt{'s' if mail['attempts'] != 1 else ''}"
        reached = f"reached {mail['reached']} of {mail['recipients']}"
        lines = [
            f"{mail['key']}  {mail['state']}, {attempts}, {reached}",
            f"  {mail['subject']}",
            f"  decided {mail['decided']}, sent {mail['sent'] or '-'} ({settings.grader_timezone})",
        ]
        if mail["not_reached"]:
            lines.append(f"  not reached: {', '.join(mail['not_reached'])}")
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
            found = db.execute(statement("mail/states"), {"keys": missing}).fetchall()
            raise LauncherError(_why_not({mail["key"]: mail["state"] for mail in found}, missing))
    for mail in queued:
        print(f"queued: {mail['key']}")
    print(f"Mails to send again: {len(queued)}. The mail sensor sends them while the daemon runs.")


def _why_not(states: Mapping[str, str], keys: Sequence[str]) -> str:
    """Why nothing is sent again: the states of mails that wait for nobody, and keys of no mail."""
    why = [f"{key} is {state}, so nobody waits for it" for key, state in states.items()]
    if unknown := [key for key in keys if key not in states]:
        why.append(f"there is no mail {', '.join(unknown)}")
    return (
        f"{'; '.join(why)}. Nothing was changed. `grader-pipeline mail list` shows keys and states."
    )


def _test(postgres: Postgres, settings: Settings, address: str) -> None:
    is_channel = address in {channel.address for channel in settings.channels}
    to = None if is_channel else _one_mailbox(address)
    # Who gets the figures of some courses only gets them here too.
    theirs = _courses_of(settings, to) if to else ()
    with postgres.transaction() as db:
        day = _newest_day(db, settings)
        waiting, links = days_that_wait(db, [day]), _links(db, day)
        if theirs:
            message, attachment = courses.ready(db, day, theirs, waiting, links), None
        else:
            message = run_mails.ready(db, day, waiting, links, ())
            attachment = outbox.attached(db, day)
    if to is None:
        refused = channels.send_short(message.subject, channels.short(message), [address])
        where = "Apprise"
    else:
        content = to_bytes(
            write(message),
            sender=sender_of(settings),
            to=[to],
            # Each trial is a mail of its own.
            identity=f"test {dt.datetime.now(dt.UTC).isoformat()}",
            replies_to=settings.mail_on_failure_to,
            attachment=attachment,
        )
        refused = Mail().send_mail(content, [to.address], f"test:{day}:{to.address}")
        where = mail_place(settings)
    for why in refused.values():
        raise LauncherError(f"{where} did not take it for {address}: {why.text}.")
    print(f"Sent to {address} by {where}: {message.subject}")
    if not theirs:
        print("It has no warnings of checks: only the mail of a run has them.")


def _courses_of(settings: Settings, to: Mailbox) -> Sequence[str]:
    """The courses of somebody of MAIL_COURSES who is not in MAIL_TO."""
    if to.address in {colleague.address for colleague in settings.mail_to}:
        return ()
    readers = course_readers()
    return next((theirs for reader, theirs in readers if reader.address == to.address), ())


def _one_mailbox(address: str) -> Mailbox:
    found: tuple[Mailbox, ...] = ()
    with suppress(ValueError):
        found = mailboxes(address)
    if len(found) != 1:
        raise LauncherError(
            f"{address!r} is not one address, and no channel of GRADER_CHANNELS has this name: "
            f"{FORM}."
        )
    return found[0]


def _newest_day(db: Connection, settings: Settings) -> dt.date:
    """Yesterday if it has a report, or else the newest day that has one."""
    yesterday = dt.datetime.now(settings.timezone).date() - dt.timedelta(days=1)
    for day in (yesterday, None):
        row = db.execute(statement("status/reported_day"), {"day": day}).fetchone() or {}
        found: dt.date | None = row["day"]
        if found is not None:
            return found
    raise LauncherError("No day has a report yet. Run one, then try its mail.")


def _links(db: Connection, day: dt.date) -> Links:
    load = db.execute(statement("status/load_run"), {"day": day}).fetchone()
    return links_to(f"runs/{load['run_id']}" if load else "runs")

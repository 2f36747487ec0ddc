"""The outbox: the mails that were decided on, and how far each came.

A mail is enqueued in the transaction that decides on it, and goes out at least once. When it may go
out twice is in docs/decisions/0001.

After a temporary error the mail is sent again, with growing pauses, for a day. After trouble with
the settings (login, certificate, sender) it is sent again each hour of the day: somebody may end
it. Only an answer about a recipient is final at once. Errors are in ``mail_outbox.last_error``, in
the log and in the sensor's skip reason. ``grader-pipeline mail resend`` queues such mails again.

Channels are recipients too: they get the mail's short form. What one recipient refuses delays no
other one.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader_pipeline.channel_addresses import Channel
from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.mail import channels
from grader_pipeline.mail.attachment import Attachment, workbook_of
from grader_pipeline.mail.letter import write
from grader_pipeline.mail.message import Message
from grader_pipeline.mail.mime import to_bytes
from grader_pipeline.mail.resource import sender_of
from grader_pipeline.mail.smtp import SETTING_SECONDS, Refusal
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

Send = Callable[[bytes, Sequence[str], str], Mapping[str, Refusal]]
"""Sends a mail once. Takes, returns and raises the same as ``Mail.send_mail``."""

SendShort = Callable[[str, str, Sequence[str]], Mapping[str, Refusal]]
"""Sends the short form to channels once. Takes and returns the same as ``channels.send_short``."""

LEASE_SECONDS = 60
"""Longer than it takes to send. A process that is ``sending`` a mail for longer is dead."""

FIRST_PAUSE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 3600


@dataclass
class Delivery:
    """The results of one round of deliveries, in mails."""

    sent: int = 0
    postponed: int = 0
    undeliverable: int = 0
    error: str | None = None


def enqueue(
    db: Connection,
    message: Message,
    *,
    key: str,
    candidate: str,
    to: Sequence[Mailbox | Channel],
    report_date: dt.date | None = None,
) -> bool:
    """Put a message into the outbox in the caller's transaction. False if its key is there already.

    ``key`` makes one mail one mail, and begins with its kind. ``candidate`` is the id of the run or
    backfill; with it, Message-IDs of different databases differ. If ``to`` names nobody and no
    channel, the mail goes to its sender.

    Raises PermanentFailure if a server is set and no sender.
    """
    settings = Settings()
    sender = sender_of(settings)
    named = sorted({one.address for one in to if isinstance(one, Channel)})
    # A digest goes to colleagues and owners, and one may be both.
    mailed = list({one.address: one for one in to if isinstance(one, Mailbox)}.values())
    recipients = mailed or ([] if named else [sender])
    kind = key.partition(":")[0]
    content = to_bytes(
        write(message),
        sender=sender,
        to=recipients or [sender],
        identity=f"{key} {candidate}",
        replies_to=settings.mail_on_failure_to,
        attachment=attached(db, report_date) if kind == "success" and report_date else None,
    )
    row = db.execute(
        statement("mail/enqueue"),
        {
            "key": key,
            "kind": kind,
            "report_date": report_date,
            "subject": message.subject,
            "message": content,
            "short": channels.short(message),
            "recipients": [mailbox.address for mailbox in recipients],
            "channels": named,
        },
    ).fetchone()
    if row is not None:
        log.info("Mail %s is in the outbox: %s", key, message.subject)
    return row is not None


def attached(db: Connection, day: dt.date) -> Attachment | None:
    """What MAIL_ATTACH attaches to the mail of a day. The mail goes without it after an error."""
    if Settings().mail_attach is None:
        return None
    try:
        with db.transaction():
            return workbook_of(db, day)
    except Exception:  # no report may be late because of its copy
        log.exception("The mail of %s has no workbook attached", day)
        return None


def deliver(
    postgres: Postgres,
    send: Send,
    *,
    until: float,
    send_short: SendShort = channels.send_short,
) -> Delivery:
    """Send the mails that are due. None is begun after ``until`` (of ``time.monotonic()``).

    If the mail server is down or refuses the login, the round ends: it would refuse the others too.
    """
    done = Delivery()
    while time.monotonic() < until:
        with postgres.transaction() as db:
            lease = {"lease_seconds": LEASE_SECONDS}
            due = db.execute(statement("mail/claim_due"), lease).fetchone()
        if due is None:
            break
        failure, refused, errors = _send(due, send)
        if due["channels"]:
            # A row of an earlier release has no short form, and no channels.
            silent = send_short(due["subject"], due["short"] or "", due["channels"])
            errors += [f"{name}: {why.text}" for name, why in silent.items()]
            refused |= silent
        error = "; ".join(errors) or None
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(due["attempts"] - 1, 16), LONGEST_PAUSE_SECONDS)
        waiting = [why.pause for why in refused.values() if not why.is_final]
        pause = max(pause, min(waiting, default=0))
        state = _note(postgres, due, refused, error, pause)
        if state == "sent":
            done.sent += 1
            log.info("Mail %s is sent", due["key"])
        elif state == "queued":
            done.postponed += 1
            log.warning("Mail %s is sent again in %d s: %s", due["key"], pause, error)
        else:
            done.undeliverable += 1
            log.error("Mail %s is %s: %s", due["key"], state.replace("_", " "), error)
        done.error = error or done.error
        if failure:
            break
    return done


def _send(due: Mapping[str, Any], send: Send) -> tuple[bool, dict[str, Refusal], list[str]]:
    """Send a mail to its mailboxes. Returns whether nobody got it, who did not, and the errors."""
    if not due["recipients"]:
        return False, {}, []
    try:
        refused = dict(send(bytes(due["message"]), due["recipients"], due["key"]))
    except (PermanentFailure, TransientFailure) as raised:
        error = raised.description or ""
        asked = raised.pause if isinstance(raised, TransientFailure) else SETTING_SECONDS
        why = Refusal(error, False, asked or 0)
        return True, dict.fromkeys(due["recipients"], why), [error]
    return False, refused, [f"{address}: {why.text}" for address, why in refused.items()]


def _note(
    postgres: Postgres,
    due: Mapping[str, Any],
    refused: Mapping[str, Refusal],
    error: str | None,
    pause: float,
) -> str:
    """Note the result for each recipient. Returns the state of the mail that follows."""
    key = due["key"]
    with postgres.transaction() as db:
        for address in (*due["recipients"], *due["channels"]):
            state, answer = "sent", None
            if why := refused.get(address):
                state = "failed" if why.is_final or due["is_last"] else "queued"
                answer = why.text
            result = {"key": key, "address": address, "state": state, "answer": answer}
            db.execute(statement("mail/note_recipient"), result)
        attempt = {"key": key, "error": error, "pause_seconds": pause}
        noted = db.execute(statement("mail/note_attempt"), attempt).fetchone()
    return str(noted["state"]) if noted else "sent"

"""The outbox: mails that were decided on, delivered until everyone has them or never will.

A mail is enqueued in the transaction that decides on it, under a key that makes it one mail. An
attempt is noted as ``sending`` before it is made and its result after, so a mail goes out at least
once. The one window for a second copy: the process dies, or the connection breaks, between the
server taking the mail and our noting that. The copy carries the same Message-ID.

Temporary trouble is tried again with growing pauses for a day. What is final is shown in
``mail_outbox.last_error``, in the log and by the sensor; ``sql/mail/requeue.sql`` tries it again.
"""

import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.mail.letter import Letter, to_bytes
from grader_pipeline.mail.resource import Mail, addresses, sender_of
from grader_pipeline.mail.smtp import Refusal
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

LEASE_SECONDS = 60
"""Longer than any attempt can last: a mail still ``sending`` by then belongs to a dead process."""

FIRST_PAUSE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 3600


@dataclass
class Delivery:
    """What one round of deliveries came to, in mails."""

    sent: int = 0
    postponed: int = 0
    undeliverable: int = 0
    error: str | None = None


def enqueue(
    db: Connection,
    letter: Letter,
    *,
    key: str,
    kind: str,
    occasion: str,
    to: Sequence[str],
    report_date: dt.date | None = None,
) -> bool:
    """Put a letter into the outbox within the caller's transaction; False if it is there already.

    ``key`` is what makes one mail one mail; ``occasion``, the run or backfill it speaks of, keeps
    Message-IDs apart between databases. With nobody named in ``to``, the mail goes to its sender.
    """
    sender = sender_of(Settings())
    recipients = addresses(to) or [sender]
    message = to_bytes(letter, sender=sender, to=recipients, identity=f"{key} {occasion}")
    row = db.execute(
        statement("mail/enqueue"),
        {
            "key": key,
            "kind": kind,
            "report_date": report_date,
            "subject": letter.subject,
            "message": message,
            "recipients": recipients,
        },
    ).fetchone()
    if row is not None:
        log.info("Mail %s is in the outbox: %s", key, letter.subject)
    return row is not None


def deliver(postgres: Postgres, mail: Mail, *, until: float) -> Delivery:
    """Send what is due, no mail being begun after ``until`` (of ``time.monotonic()``).

    A server that is down or refuses us is asked once a round: the others would fare the same.
    """
    done = Delivery()
    while time.monotonic() < until:
        with postgres.transaction() as db:
            due = db.execute(
                statement("mail/claim_due"), {"lease_seconds": LEASE_SECONDS}
            ).fetchone()
        if due is None:
            break
        refused, trouble = _attempt(mail, due)
        state = _note(postgres, due, refused, trouble)
        if state == "sent":
            done.sent += 1
            log.info("Mail %s is sent", due["key"])
        elif state == "queued":
            done.postponed += 1
        else:
            done.undeliverable += 1
        done.error = _summary(refused, trouble) or done.error
        if trouble is not None:
            break
    return done


def _attempt(
    mail: Mail, due: Mapping[str, Any]
) -> tuple[dict[str, Refusal], PermanentFailure | TransientFailure | None]:
    """Who did not get the mail; and what kept all of them from it, if it was the server itself."""
    try:
        refused = mail.send_mail(bytes(due["message"]), due["recipients"], due["key"])
    except (PermanentFailure, TransientFailure) as failure:
        why = Refusal(failure.description or "", isinstance(failure, PermanentFailure))
        return dict.fromkeys(due["recipients"], why), failure
    return refused, None


def _note(
    postgres: Postgres,
    due: Mapping[str, Any],
    refused: Mapping[str, Refusal],
    trouble: PermanentFailure | TransientFailure | None,
) -> str:
    """Note each recipient's result; return the state that makes of the mail."""
    pause = min(FIRST_PAUSE_SECONDS * 2 ** min(due["attempts"] - 1, 16), LONGEST_PAUSE_SECONDS)
    error = _summary(refused, trouble)
    with postgres.transaction() as db:
        for address in due["recipients"]:
            why = refused.get(address)
            if why is None:
                state = "sent"
            else:
                state = "failed" if why.is_final or due["is_last"] else "queued"
            db.execute(
                statement("mail/note_recipient"),
                {
                    "key": due["key"],
                    "address": address,
                    "state": state,
                    "answer": why.text if why else None,
                },
            )
        noted = db.execute(
            statement("mail/note_attempt"),
            {
                "key": due["key"],
                "error": error,
                "pause_seconds": pause,
            },
        ).fetchone()
    state = str(noted["state"]) if noted else "sent"
    if state == "queued":
        log.warning("Mail %s waits %d s for another attempt: %s", due["key"], pause, error)
    elif state != "sent":
        log.error("Mail %s is %s: %s", due["key"], state.replace("_", " "), error)
    return state


def _summary(
    refused: Mapping[str, Refusal], trouble: PermanentFailure | TransientFailure | None
) -> str | None:
    if trouble is not None:
        return trouble.description
    return "; ".join(f"{address}: {why.text}" for address, why in refused.items()) or None

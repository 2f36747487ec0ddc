"""A letter as the bytes of a mail."""

import hashlib
from collections.abc import Sequence
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime

from grader_pipeline.mail.letter import CHART_ID, Letter
from grader_pipeline.mail.words.general import LANGUAGE
from grader_pipeline.mailboxes import Mailbox


def to_bytes(letter: Letter, *, sender: Mailbox, to: Sequence[Mailbox], identity: str) -> bytes:
    """The mail's bytes. ``identity`` makes the Message-ID."""
    message = EmailMessage(policy=SMTP)
    message["Date"] = localtime()
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{name}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="base64")
    message.add_alternative(letter.html, subtype="html", cte="base64")
    if letter.chart is not None:
        page = message.get_payload()[1]  # type: ignore[index]
        place = {"cid": f"<{CHART_ID}>", "filename": "chart.png", "disposition": "inline"}
        page.add_related(letter.chart, "image", "png", **place)  # type: ignore[union-attr]
    # set_content removes earlier headers that begin with Content-.
    message["Content-Language"] = LANGUAGE
    # EmailMessage loses spaces where it folds a long non-ASCII text. Header keeps them.
    subject = Header(letter.subject, "utf-8", header_name="Subject").encode(linesep="\r\n")
    recipients = ",\r\n ".join(mailbox.header() for mailbox in to)
    head = f"Subject: {subject}\r\nFrom: {sender.header()}\r\nTo: {recipients}\r\n"
    return head.encode() + message.as_bytes()

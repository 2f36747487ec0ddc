"""A letter as the bytes of a mail."""

import hashlib
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from urllib.parse import quote

from grader_pipeline.mail.attachment import Attachment
from grader_pipeline.mail.letter import CHART_ID, Letter
from grader_pipeline.mail.words.general import LANGUAGE
from grader_pipeline.mailboxes import Mailbox, encoded_words

_WORKBOOK = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def to_bytes(
    letter: Letter,
    *,
    sender: Mailbox,
    to: Sequence[Mailbox],
    identity: str,
    replies_to: Sequence[Mailbox] = (),
    attachment: Attachment | None = None,
) -> bytes:
    """The mail's bytes. ``identity`` makes the Message-ID.

    ``replies_to`` are people who read replies, and whom a reader asks to be left out. Without them
    it is the sender. No holiday notice answers the mail.
    """
    message = EmailMessage(policy=SMTP)
    message["Date"] = localtime()
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{name}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"  # as Exchange reads it
    message.set_content(letter.text, cte="base64")
    message.add_alternative(letter.html, subtype="html", cte="base64")
    if letter.chart is not None:
        page = message.get_payload()[1]  # type: ignore[index]
        place = {"cid": f"<{CHART_ID}>", "filename": "chart.png", "disposition": "inline"}
        page.add_related(letter.chart, "image", "png", **place)  # type: ignore[union-attr]
    if attachment is not None:
        message.add_attachment(
            attachment.content, *_WORKBOOK, cte="base64", filename=attachment.name
        )
    # set_content removes earlier headers that begin with Content-.
    message["Content-Language"] = LANGUAGE
    subject = encoded_words(letter.subject, "Subject")
    head = f"Subject: {subject}\r\nFrom: {sender.header()}\r\nTo: {_listed(to)}\r\n"
    # EmailMessage would encode a long one, and then no mail client reads it.
    asked = quote((*replies_to, sender)[0].address, safe="@")
    head += f"List-Unsubscribe: <mailto:{asked}?subject=unsubscribe>\r\n"
    if replies_to:
        head += f"Reply-To: {_listed(replies_to)}\r\n"
    return head.encode() + message.as_bytes()


def _listed(mailboxes: Sequence[Mailbox]) -> str:
    return ",\r\n ".join(mailbox.header() for mailbox in mailboxes)

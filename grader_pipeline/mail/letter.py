"""Writes a message as a letter: HTML and plain text, both by templates.

Mail clients read styles that are inline. The HTML has them there, and in its head what only some
clients read: the colours of dark mode, and the width of a phone.
"""

from dataclasses import dataclass

from grader_pipeline.mail.message import Message
from grader_pipeline.mail.words import general
from grader_pipeline.reports.templating import templates_of

CHART_ID = "chart@grader-pipeline"
"""The Content-ID of the picture in a mail."""


@dataclass(frozen=True)
class Letter:
    """A letter before it is addressed."""

    subject: str
    text: str
    html: str
    chart: bytes | None = None


def write(message: Message, chart: str = f"cid:{CHART_ID}") -> Letter:
    """Write a message. ``chart`` is the address of its picture in the HTML."""
    templates = templates_of("mail", w=general)
    texts = {
        form: templates.get_template(f"letter.{form}.jinja").render(m=message, chart=chart)
        for form in ("txt", "html")
    }
    png = message.picture.png if message.picture else None
    return Letter(message.subject, texts["txt"], texts["html"], png)

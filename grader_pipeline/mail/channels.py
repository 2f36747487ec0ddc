"""Further channels to colleagues: the short form of a message, by Apprise (GRADER_CHANNELS).

An address is a secret, and Apprise's log lines may have parts of it. So nothing of them is shown:
only the status of an HTTP answer is read out of them. What is shown of a channel is its name.

A call sends to each channel once. The outbox decides when, and repeats: at least once for each
channel. A channel gets it twice if it confirms later than ``ANSWER_SECONDS``, if the process dies
before the result is noted, or if one address names several chats and one of them fails.
"""

import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from types import ModuleType

from grader_pipeline.failures import PermanentFailure, is_worth_retrying
from grader_pipeline.mail.message import Message, Part
from grader_pipeline.mail.smtp import SETTING_SECONDS, Refusal
from grader_pipeline.mail.words import general
from grader_pipeline.settings import Settings

ANSWER_SECONDS = 15
"""For all channels of a mail together: they are sent to at the same time."""

_MOST_SIGNS = 1500
"""Most channels take so many."""
_MOST_WARNINGS = 5
_STATUS = re.compile(r"error=(\d{3})\b")
_NOT_INSTALLED = (
    "GRADER_CHANNELS needs Apprise: pip install 'grader-pipeline[channels]', and start code-server "
    "and daemon again"
)


def short(message: Message) -> str:
    """The message in short, as plain text: what happened, figures, warnings, and the sheet."""
    lines = [message.sentence]
    for each in message.figures:
        change = f" ({each.change})" if each.change else ""
        lines.append(f"{each.label}: {each.value}{change}")
    if message.warnings:
        lines += ["", f"{general.WARNINGS}:", *_first(message.warnings)]
    if not message.figures:
        for part in message.parts:
            lines += ["", part.title, *_rows(part)]
    end = [*message.notes]
    if message.link and message.link.url:
        end.append(f"{general.OPEN_REPORT}: {message.link.url}")
    return "\n".join([*_fitting(lines, _MOST_SIGNS - sum(map(len, end))), "", *end]).strip()


def send_short(subject: str, text: str, names: Sequence[str]) -> dict[str, Refusal]:
    """Send to the channels of these names. Returns those that did not take it, and why."""
    secrets = {channel.address: channel.secret for channel in Settings().channels}
    refused = {
        name: Refusal("GRADER_CHANNELS has this channel no more", False, SETTING_SECONDS)
        for name in names
        if name not in secrets
    }
    known = [name for name in names if name in secrets]
    answers: dict[str, Refusal | None] = {}

    def one(name: str) -> None:
        answers[name] = _send(secrets[name].get_secret_value(), subject, text)

    # A channel that is slow takes no time of the others. A thread that hangs ends with the process.
    threads = [threading.Thread(target=one, args=[name], daemon=True) for name in known]
    deadline = time.monotonic() + ANSWER_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = Refusal(f"it gave no answer within {ANSWER_SECONDS} s", False)
    for name in known:
        if (why := answers.get(name, late)) is not None:
            refused[name] = why
    return refused


def probe() -> str:
    """Read each address as Apprise does, and send nothing. Returns a line about them.

    Raises PermanentFailure if Apprise is not installed, or knows one of the addresses not.
    """
    found = Settings().channels
    if not found:
        return "GRADER_CHANNELS is not set: colleagues get mails only"
    if (apprise := _apprise()) is None:
        raise PermanentFailure(f"{_NOT_INSTALLED}.")
    unknown = [
        channel.address
        for channel in found
        if not apprise.Apprise().add(channel.secret.get_secret_value())
    ]
    if unknown:
        raise PermanentFailure(f"{_unknown(', '.join(unknown))}.")
    names = ", ".join(channel.address for channel in found)
    return f"{names} get what colleagues get. `grader-pipeline mail test NAME` tries one"


def _send(address: str, subject: str, text: str) -> Refusal | None:
    if (apprise := _apprise()) is None:
        return Refusal(_NOT_INSTALLED, False, SETTING_SECONDS)
    # It signs with app_id. A timeout of its own would take one more thread.
    asset = apprise.AppriseAsset(app_id="grader_pipeline", service_timeout=0)
    one = apprise.Apprise(asset=asset)
    if not one.add(address):
        return Refusal(_unknown("the address"), False, SETTING_SECONDS)
    try:
        result = one.notify(body=text, title=subject, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # a library for a hundred services raises anything
        return Refusal(f"it failed ({type(error).__name__})", False)
    if result:
        return None
    statuses = _STATUS.findall(" ".join(map(str, result.logs())))
    if not statuses:
        return Refusal("it could not be reached, or did not take it", False)
    pause = 0 if is_worth_retrying(int(statuses[-1])) else SETTING_SECONDS
    return Refusal(f"it answers {statuses[-1]}", False, pause)


def _apprise() -> ModuleType | None:
    """Apprise, which is an extra, with its log going nowhere. None if it is not installed."""
    try:
        import apprise  # noqa: PLC0415
    except ImportError:
        return None
    logging.getLogger("apprise").propagate = False
    return apprise


def _unknown(which: str) -> str:
    return (
        f"Apprise cannot read {which}. Compare GRADER_CHANNELS with https://appriseit.com/services"
    )


def _first(warnings: Sequence[str]) -> Iterator[str]:
    yield from (f"• {warning}" for warning in warnings[:_MOST_WARNINGS])
    if more := len(warnings[_MOST_WARNINGS:]):
        yield general.and_more(more)


def _rows(part: Part) -> Iterator[str]:
    yield from part.lines
    yield from part.table.lines() if part.table else ()


def _fitting(lines: Sequence[str], signs: int) -> Iterator[str]:
    for line in lines:
        signs -= len(line) + 1
        if signs < 0:
            yield "…"
            return
        yield line

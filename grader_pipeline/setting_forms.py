"""How the settings that are lists, names, paths or durations are written, each as a type.

A text that cannot be read raises ValueError, which says the form.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from grader_pipeline.channel_addresses import channels
from grader_pipeline.durations import Duration, duration
from grader_pipeline.mailboxes import FORM, Mailbox, mailboxes

_COURSES = "write anna@school.example = COURSE, COURSE; boris@school.example = COURSE"
# Semicolons, line breaks and = in quotes belong to a name.
_QUOTED = r'"(?:\\.|[^"\\])*"'
_READER = re.compile(rf"(?:{_QUOTED}|[^;\r\n])+")
_READER_OF = re.compile(rf"((?:{_QUOTED}|[^\"=])*)=(.*)")

# As Dagster has them: an owner is a team or an e-mail address, a tag has a key and a value.
_OWNER = re.compile(r"team:\S+|[\w.%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}", re.ASCII)
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
_ADDRESS = re.compile(r"([\w.-]+|\[[0-9a-f:.]+\]):\d{1,5}", re.ASCII)
# The address of a published copy (/d/e/…) has no id.
_SPREADSHEET = re.compile(r"/.*(?:/d/|[?&]id=)(?!e/)([\w-]+)", re.ASCII)
_SPREADSHEET_ID = re.compile(r"[\w-]+", re.ASCII)
_TAG = re.compile(r"((?:[\w.-]{1,63}/)?[\w.-]{1,63})=([\w.-]{0,63})", re.ASCII)

CourseReader = tuple[Mailbox, tuple[str, ...]]
"""Somebody, and the ids of the courses whose figures they get."""


def _written(read: Callable[[str], object]) -> BeforeValidator:
    """Reads a text of the environment. What is not a text is a default, or comes from a test."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(part.lower() for part in _parts(text))
    if not all(map(_HOST.fullmatch, hosts)):
        raise ValueError("write names as ui.school.org, or addresses, without https:// or port")
    return hosts


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("write host:port, such as code.school.org:4000")
    return text


def _broker(text: str) -> str:
    if not text.startswith(("redis://", "rediss://")):
        raise ValueError("write it as redis://:password@host:6379/0, or rediss:// for TLS")
    return text


def _web_address(text: str) -> str:
    # 0.03 s to import, and few have such an address.
    import httpx  # noqa: PLC0415

    # It raises other errors for other texts. None of them is shown: the address is a secret.
    try:
        address = httpx.URL(text)
    except httpx.InvalidURL:
        address = None
    if address is None or address.scheme not in {"http", "https"} or not address.host:
        raise ValueError("write an address as https://watch.example.org/ping/…")
    return text


def _channels(text: str) -> str:
    channels(text)
    return text


def _owners(text: str) -> tuple[str, ...]:
    owners = tuple(_parts(text))
    if not all(map(_OWNER.fullmatch, owners)):
        raise ValueError("write owners as team:course-analytics or name@school.org")
    return owners


def _tags(text: str) -> dict[str, str]:
    found = [_TAG.fullmatch(part) for part in _parts(text)]
    tags = {tag[1]: tag[2] for tag in found if tag}
    if len(tags) < len(found):
        raise ValueError(
            "write tags as domain=courses, team=analytics: each key once, in keys and values "
            "up to 63 Latin letters, digits, _, - and dots"
        )
    return tags


def _one_mailbox(text: str) -> Mailbox:
    found = mailboxes(text)
    if len(found) != 1:
        raise ValueError(f"one address is needed here: {FORM}")
    return found[0]


def _course_readers(text: str) -> tuple[CourseReader, ...]:
    found: dict[str, tuple[Mailbox, dict[str, None]]] = {}
    parts = [part for part in _READER.findall(text) if part.strip()]
    for place, part in enumerate(parts, 1):
        written = _READER_OF.fullmatch(part.strip())
        courses = _parts(written[2]) if written else []
        if not written or not courses:
            raise ValueError(f"entry {place} has no address or no course: {_COURSES}")
        try:
            mailbox = _one_mailbox(written[1])
        except ValueError as error:
            raise ValueError(f"entry {place}: {error}") from None
        found.setdefault(mailbox.address, (mailbox, {}))[1].update(dict.fromkeys(courses))
    return tuple((mailbox, tuple(courses)) for mailbox, courses in found.values())


def _spreadsheet(text: str) -> str | None:
    pasted = _SPREADSHEET.search(text)
    ident = pasted[1] if pasted else text.strip()
    if ident and not _SPREADSHEET_ID.fullmatch(ident):
        raise ValueError(
            "write the spreadsheet's address as the browser shows it, or the part of it between "
            "/d/ and /edit"
        )
    return ident or None


def _absolute(value: str | Path | None) -> Path | None:
    return Path(value).expanduser().absolute() if value else None


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError("is not a time zone; use a name such as Europe/Moscow") from error
    return text


def _plain(value: object) -> object:
    # Else 04:00+03:00 would lose its zone, and 0 would be a day in 1970.
    if isinstance(value, str) and not re.fullmatch(r"\d\d:\d\d|\d{4}-\d\d-\d\d", value):
        raise ValueError("write a time as 04:00, a day as 2023-04-01")
    return value


Courses = Annotated[tuple[CourseReader, ...], NoDecode, _written(_course_readers)]
"""Addresses and their courses: anna@school.example = COURSE, COURSE; boris@school.example = …"""
Address = Annotated[str, _written(_address)]
"""host:port."""
Broker = Annotated[SecretStr, _written(_broker)]
"""The URL of Redis, which may have a password in it."""
WebAddress = Annotated[SecretStr, _written(_web_address)]
"""http:// or https://. Whoever knows the address can use it."""
ChannelAddresses = Annotated[SecretStr, _written(_channels)]
"""Addresses of Apprise. ``channel_addresses`` reads them."""
SpreadsheetId = Annotated[str | None, _written(_spreadsheet)]
"""The id of a Google spreadsheet, also taken out of its address."""
Absolute = BeforeValidator(_absolute)
"""A path, from the current folder on. ``~`` is the user's home."""
Zone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone."""
Share = Annotated[float, Field(ge=0, le=1)]
Plain = BeforeValidator(_plain)
"""A time as 04:00, a day as 2023-04-01."""
Kept = Annotated[Duration, NoDecode, _written(duration)]
"""How long something is kept: 90 days, 12 months, 3 years."""
Hosts = Annotated[tuple[str, ...], NoDecode, _written(_hosts)]
"""Names or addresses of hosts, without a port, in small letters."""
Owners = Annotated[tuple[str, ...], NoDecode, _written(_owners)]
Tags = Annotated[dict[str, str], NoDecode, _written(_tags)]
Mailboxes = Annotated[tuple[Mailbox, ...], NoDecode, _written(mailboxes)]
OneMailbox = Annotated[Mailbox | None, NoDecode, _written(_one_mailbox)]

"""The addresses of GRADER_CHANNELS: further places that get what colleagues get, by Apprise.

An address has tokens and passwords in it, so it is a secret. What is stored, logged and shown is
its name, such as ``tgram-3fa9``: the kind, and four hexadecimal digits of its hash. So few digits
do not help to guess a password.
"""

import hashlib
import re
from typing import NamedTuple

from pydantic import SecretStr

FORM = (
    "write addresses of Apprise, such as tgram://TOKEN/CHAT, each on a line of its own or "
    "separated by commas"
)

_START = re.compile(r"[\s,;]+(?=[a-z][a-z0-9.+-]*://)", re.IGNORECASE)
_ADDRESS = re.compile(r"([a-z][a-z0-9.+-]*)://\S+", re.IGNORECASE)


class Channel(NamedTuple):
    """A channel. ``address`` is stored and shown, as that of a mailbox: the channel's name."""

    address: str
    secret: SecretStr
    """The address of Apprise."""


def channels(text: str) -> tuple[Channel, ...]:
    """The channels of a text, each once.

    Raises ValueError with the place of an address that is none. It does not quote it.
    """
    found: dict[str, Channel] = {}
    parts = [part.strip().rstrip(",;") for part in _START.split(text.strip(" \t\r\n,;"))]
    for place, address in enumerate(filter(None, parts), 1):
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise ValueError(f"address {place} is none: {FORM}")
        digits = hashlib.sha256(address.encode()).hexdigest()[:4]
        name = f"{match[1].lower()}-{digits}"
        known = found.setdefault(name, Channel(name, SecretStr(address)))
        if known.secret.get_secret_value() != address:
            raise ValueError(
                f"address {place} and another one would have the same name. Add ?name=two to it"
            )
    return tuple(found.values())

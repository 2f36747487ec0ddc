"""Mailboxes as people write them: an address, or a name and an address in angle brackets.

No mail command has other addresses than these. smtplib would cut an address at ``;`` or at a line
break, and send the mail to the first part only.
"""

import re
from email.charset import SHORTEST, Charset
from email.header import Header
from email.utils import formataddr
from typing import NamedTuple

import idna

FORM = "write anna@school.example or Anna <anna@school.example>, a name with a comma in quotes"

# A comma, semicolon or line break in quotes belongs to the name.
_PART = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^,;\r\n])+')
_NAMED = re.compile(r'(?:"((?:\\.|[^"\\])*)"|([^"<>@]*)) ?<([^<>]*)>')
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_DOMAIN = re.compile(r"(?!.{254})(?:(?:^|\.)(?!-)[a-z0-9-]{1,63}(?<!-))+", re.ASCII)


class Mailbox(NamedTuple):
    """A name, which may be empty, and a bare address of ASCII characters."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part of the address behind its ``@``."""
        return self.address.rpartition("@")[2]

    def header(self) -> str:
        """The mailbox as a header of a mail has it. A long name is folded."""
        if self.name.isascii():
            return formataddr((self.name, self.address))
        return f"{encoded_words(self.name, 'To')} <{self.address}>"


def encoded_words(text: str, header_name: str) -> str:
    """A text as the header of that name has it, folded. EmailMessage would lose spaces there."""
    charset = Charset("utf-8")
    # Libraries such as Apprise change what this is for the whole process.
    charset.header_encoding = SHORTEST
    return Header(text, charset, header_name=header_name).encode(linesep="\r\n")


def mailboxes(text: str) -> tuple[Mailbox, ...]:
    """The mailboxes of a text, separated by commas, semicolons or line breaks. Each address once.

    Raises ValueError with the place of the one that cannot be used, and why. It does not quote it:
    the text may be a secret in the wrong setting.
    """
    parts = [" ".join(part.split()) for part in _PART.findall(text)]
    found: dict[str, Mailbox] = {}
    for place, part in enumerate(filter(None, parts), 1):
        try:
            mailbox = _mailbox(part)
        except ValueError as error:
            raise ValueError(f"address {place} cannot be used, because {error}: {FORM}") from None
        found.setdefault(mailbox.address, mailbox)
    return tuple(found.values())


def bare(address: str) -> str:
    """The address as SMTP takes it, an international domain in ASCII (``xn--…``).

    Raises ValueError if it is none.
    """
    local, at, domain = address.rpartition("@")
    if not at:
        raise ValueError("it has no @")
    if not local.isascii():
        raise ValueError("it has characters other than ASCII before the @")
    if not _LOCAL.fullmatch(local) or len(local) > 64:  # noqa: PLR2004
        raise ValueError("no address has what is before its @")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except UnicodeError:
            raise ValueError("what follows its @ is no domain") from None
    if not _DOMAIN.fullmatch(domain.lower()):
        raise ValueError("what follows its @ is no domain")
    return f"{local}@{domain.lower()}"


def _mailbox(text: str) -> Mailbox:
    named = _NAMED.fullmatch(text)
    if named is None:
        return Mailbox("", bare(text))
    quoted, plain, address = named.groups()
    name = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    if not name.isprintable():
        raise ValueError("its name has characters that cannot be printed")
    return Mailbox(name.strip(), bare(address.strip()))

"""Mail: one message handed to the SMTP server, or, without SMTP_HOST, to a folder of .eml files.

It sends once and says exactly who got it. Which mails there are, and when to try again, is the
outbox's business (:mod:`grader_pipeline.mail.outbox`).

Source: SMTP_HOST, SMTP_PORT, SMTP_SECURITY, SMTP_USER, SMTP_PASSWORD, SMTP_FROM, read at use.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.files import replacing
from grader_pipeline.mail.smtp import Refusal, hand_over, session
from grader_pipeline.settings import Settings


class Mail(dg.ConfigurableResource["Mail"]):
    """The colleagues' mail."""

    def send_mail(self, message: bytes, recipients: Sequence[str], key: str) -> dict[str, Refusal]:
        """Send ``message`` to ``recipients``; return those who did not get it, and why.

        ``key`` names the .eml file while SMTP_HOST is unset. An answer that concerns one
        recipient only is returned; raises TransientFailure or PermanentFailure when nobody got
        it, because the server cannot be reached, trusted or logged in to.
        """
        settings = Settings()
        if settings.smtp_host is None:
            write_eml(settings.outbox_dir, key, message)
            return {}
        with session(settings) as server:
            return hand_over(server, sender_of(settings), recipients, message)

    def probe(self) -> str:
        """Ask the server for everything short of a mail, and say in a line what it granted.

        Raises TransientFailure or PermanentFailure with the cause and what to do about it: not
        reachable, not to be trusted, wrong password, refused sender, refused recipient.
        """
        settings = Settings()
        if settings.smtp_host is None:
            _writable(settings.outbox_dir)
            return f"SMTP_HOST is not set: mails are written to {settings.outbox_dir} as .eml files"
        recipients = addresses((*settings.mail_to, *settings.mail_on_failure_to))
        if not addresses(settings.mail_to):
            raise PermanentFailure("MAIL_TO is not set: name the colleagues, separated by commas.")
        with session(settings) as server:
            refused = hand_over(server, sender_of(settings), recipients, None)
        if refused:
            listed = "; ".join(f"{address}: {why.text}" for address, why in refused.items())
            raise PermanentFailure(
                f"{settings.smtp_host} refuses {listed}. Check MAIL_TO and MAIL_ON_FAILURE_TO."
            )
        login = f"the login of {settings.smtp_user}" if settings.smtp_user else "us without a login"
        return (
            f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security}) takes {login}, "
            f"and mail for {', '.join(recipients)}"
        )


def sender_of(settings: Settings) -> str:
    """The address that mails come from: SMTP_FROM, or else SMTP_USER.

    Raises PermanentFailure when a server is set and neither is an address.
    """
    for candidate in (settings.smtp_from, settings.smtp_user):
        if found := addresses([candidate or ""]):
            return found[0]
    if settings.smtp_host is None:
        return "grader-pipeline@localhost"
    raise PermanentFailure("SMTP_FROM is not set: name the address that mails come from.")


def addresses(written: Sequence[str]) -> list[str]:
    """The bare addresses of ``Name <address>`` or ``address``, each once, in their order."""
    bare = (re.sub(r"^.*<([^<>]+)>\s*$", r"\1", text).strip() for text in written)
    return list(dict.fromkeys(address for address in bare if "@" in address))


def write_eml(folder: Path, key: str, message: bytes) -> Path:
    """Write the mail as a file named after its key, whole or not at all.

    Raises PermanentFailure if the folder cannot be written to, TransientFailure if it is full.
    """
    _writable(folder)
    path = folder / f"{re.sub(r'[^0-9A-Za-z._-]+', '-', key)}.eml"
    try:
        with replacing(path) as file:
            file.write(message)
    except OSError as error:
        raise TransientFailure(f"{path} cannot be written ({error.strerror}).") from error
    return path


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermanentFailure(
            f"The outbox folder {folder} cannot be made ({error.strerror}). Check GRADER_HOME."
        ) from error
    if not os.access(folder, os.W_OK):
        raise PermanentFailure(
            f"The outbox folder {folder} cannot be written to. Check its rights and GRADER_HOME."
        )

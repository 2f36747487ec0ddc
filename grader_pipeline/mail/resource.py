"""Mail: sends one message through the SMTP server, or writes it as an .eml file without SMTP_HOST.

It sends once. The outbox decides which messages to send, and when to send again. Settings: SMTP_…,
read at use.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import dagster as dg
from pydantic import Field

from grader_pipeline import disk, full_disk
from grader_pipeline.atomic_files import replacing
from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.mail.smtp import Refusal, hand_over, session
from grader_pipeline.mailboxes import Mailbox, bare
from grader_pipeline.settings import Settings


def mail_place(settings: Settings) -> str:
    """The SMTP server or the folder of .eml files, for Dagster's UI."""
    if settings.smtp_host is None:
        return f"folder {settings.outbox_dir}"
    return f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security})"


class Mail(dg.ConfigurableResource["Mail"]):
    """Mail to colleagues and owners, by the SMTP server of SMTP_HOST; unset: .eml files."""

    where: str = Field(default="", description="The server or folder. The settings SMTP_… name it.")

    def send_mail(self, message: bytes, recipients: Sequence[str], key: str) -> dict[str, Refusal]:
        """Send ``message`` to ``recipients``. Returns those who did not get it, and why.

        ``key`` names the .eml file if SMTP_HOST is unset.

        Raises TransientFailure or PermanentFailure if nobody got it: the server cannot be reached
        or trusted, or refuses the login or the sender; or the file cannot be written.
        """
        settings = Settings()
        if settings.smtp_host is None:
            _write_eml(settings.outbox_dir, key, message)
            return {}
        with session(settings) as server:
            return hand_over(server, sender_of(settings).address, recipients, message)

    def probe(self) -> str:
        """Ask the server everything except to take a mail. Returns a line about its answers.

        Raises like ``send_mail``, and PermanentFailure if the server refuses a recipient.
        """
        settings = Settings()
        if settings.smtp_host is None:
            if not disk.is_writable(settings.outbox_dir):
                raise PermanentFailure(
                    f"The outbox folder {settings.outbox_dir} cannot be written. Check its rights "
                    "and GRADER_HOME."
                )
            return f"SMTP_HOST is not set: mails are written to {settings.outbox_dir} as .eml files"
        if not settings.mail_to:
            raise PermanentFailure("MAIL_TO is not set: name the colleagues, separated by commas.")
        readers = [mailbox for mailbox, _ in settings.mail_courses]
        mailboxes = (*settings.mail_to, *settings.mail_on_failure_to, *readers)
        recipients = list(dict.fromkeys(mailbox.address for mailbox in mailboxes))
        with session(settings) as server:
            refused = hand_over(server, sender_of(settings).address, recipients, None)
        if refused:
            listed = "; ".join(f"{address}: {why.text}" for address, why in refused.items())
            raise PermanentFailure(
                f"{settings.smtp_host} refuses {listed}. Check MAIL_TO, MAIL_ON_FAILURE_TO and "
                "MAIL_COURSES."
            )
        login = f"the login of {settings.smtp_user}" if settings.smtp_user else "us without a login"
        return f"{mail_place(settings)} takes {login}, and mail for {', '.join(recipients)}"


def sender_of(settings: Settings) -> Mailbox:
    """The mailbox that mails come from: SMTP_FROM, or else SMTP_USER if it is an address.

    Raises PermanentFailure if SMTP_HOST is set and neither is an address.
    """
    if settings.smtp_from is not None:
        return settings.smtp_from
    with suppress(ValueError):
        return Mailbox("", bare(settings.smtp_user or ""))
    if settings.smtp_host is not None:
        raise PermanentFailure("SMTP_FROM is not set: name the address that mails come from.")
    return Mailbox("", "grader-pipeline@localhost")


def _write_eml(folder: Path, key: str, message: bytes) -> None:
    _writable(folder)
    path = folder / f"{re.sub(r'[^0-9A-Za-z._-]+', '-', key)}.eml"
    try:
        with (
            full_disk.room(
                folder,
                "GRADER_HOME",
                needed=len(message),
                then="the mail is written within the hour",
            ),
            replacing(path) as file,
        ):
            file.write(message)
    except OSError as error:
        raise TransientFailure(f"{path} cannot be written ({error.strerror}).") from error


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermanentFailure(
            f"The outbox folder {folder} cannot be made ({error.strerror}). Check GRADER_HOME."
        ) from error
    if not os.access(folder, os.W_OK):
        raise PermanentFailure(
            f"The outbox folder {folder} cannot be written. Check its rights and GRADER_HOME."
        )

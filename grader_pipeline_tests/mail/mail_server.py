"""A real SMTP server. Its answers and the moment it disconnects can be chosen."""

import email
import email.policy
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER = "robot@school.example"
PASSWORD = "correct horse battery"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Received:
    recipients: list[str]
    content: bytes
    login: str | None

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.content, policy=email.policy.default)


@dataclass
class MailServer:
    security: str = "none"
    certificate: ssl.SSLContext | None = None
    wants_login: bool = False
    answers: dict[str, str] = field(default_factory=dict)
    """Stage (``MAIL``, ``DATA``, ``AUTH``) or recipient -> what to answer instead of yes."""
    drops_after_data: bool = False
    before_confirming: Callable[[], None] = lambda: None
    received: list[Received] = field(default_factory=list)
    attempts: int = 0
    port: int = field(default_factory=free_port)
    host: str = "127.0.0.1"

    def start(self) -> "MailServer":
        is_encrypted = self.security != "none"
        self._controller = Controller(
            self,
            hostname=self.host,
            port=self.port,
            ssl_context=self.certificate if self.security == "ssl" else None,
            tls_context=self.certificate if self.security == "starttls" else None,
            require_starttls=self.security == "starttls",
            authenticator=self._log_in,
            auth_required=self.wants_login,
            # aiosmtpd counts STARTTLS only as encryption.
            auth_require_tls=is_encrypted and self.security == "starttls",
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        self._controller.stop()

    def _log_in(self, server, session, envelope, mechanism, given) -> AuthResult:
        if answer := self.answers.get("AUTH"):
            return AuthResult(success=False, handled=False, message=answer)
        right = isinstance(given, LoginPassword) and (
            (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        )
        return AuthResult(success=right, handled=False, auth_data=given.login.decode())

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.attempts += 1
        if answer := self.answers.get("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if answer := self.answers.get("DATA"):
            return answer
        self.received.append(
            Received(list(envelope.rcpt_tos), bytes(envelope.content), session.auth_data)
        )
        self.before_confirming()
        if self.drops_after_data:
            server.transport.abort()
        return "250 OK"

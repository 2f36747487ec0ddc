"""One session with the SMTP server, and what its answers mean.

An answer 4xx, a lost connection or no answer is a TransientFailure: it can be different later. An
answer 5xx is a PermanentFailure: it stays until somebody changes something. An answer about one
recipient is a Refusal. It is final from 500 on, unless it is about the login.

A session takes at most ``SESSION_SECONDS``, however slowly the server sends. Certificates are
always verified. Only SMTP_SECURITY=none allows a connection without encryption.
"""

import logging
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.logs import without_secrets
from grader_pipeline.mailboxes import bare
from grader_pipeline.settings import Settings

log = logging.getLogger(__name__)

ANSWER_SECONDS = 7
SESSION_SECONDS = 15
QUIT_SECONDS = 1  # the server has the mail by then, and its answer to QUIT does not matter

SETTING_SECONDS = 3600
"""How long a mail waits after trouble that somebody must end, such as a wrong password."""

_FINAL = 500
_LOGIN = {454, 530, 534, 535, 538}
_CLOSING = 421
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


@dataclass(frozen=True)
class Refusal:
    """Why a recipient did not get a mail, and whether sending again cannot help."""

    text: str
    is_final: bool
    pause: float = 0
    """How many seconds the next attempt waits at least."""


@contextmanager
def session(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted, verified and logged in, as the settings say.

    Raises TransientFailure and PermanentFailure with what to do, also for errors inside the block.
    If one is raised, the server took no mail.
    """
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    tls = ssl.create_default_context()
    # smtplib would ask the name service, which can take long.
    name = socket.gethostname()
    name = name if "." in name else "[127.0.0.1]"
    server = (
        smtplib.SMTP_SSL(timeout=ANSWER_SECONDS, local_hostname=name, context=tls)
        if settings.smtp_security == "ssl"
        else smtplib.SMTP(timeout=ANSWER_SECONDS, local_hostname=name)
    )
    deadline = threading.Timer(SESSION_SECONDS, _cut, [server])
    deadline.daemon = True
    deadline.start()
    try:
        _connect(server, settings, where, tls)
        if settings.smtp_user:
            _log_in(server, settings)
        yield server
        with suppress(OSError):
            if server.sock is not None:
                server.sock.settimeout(QUIT_SECONDS)
            server.quit()
    except OSError as error:  # smtplib's own errors are OSErrors too
        raise _cause(error, settings, where) from None
    finally:
        deadline.cancel()
        server.close()


def hand_over(
    server: smtplib.SMTP, sender: str, recipients: Sequence[str], message: bytes | None
) -> dict[str, Refusal]:
    """Send the mail to each recipient that the server accepts. Returns the others, and why.

    If ``message`` is None, the server is only asked which recipients it accepts. An error after it
    accepted a recipient is returned as that recipient's refusal, so that no answer is lost.
    """
    _expect(server.mail(sender))
    refused: dict[str, Refusal] = {}
    accepted: list[str] = []
    for address in recipients:
        try:
            # An outbox of release 0.2 may have addresses that are none.
            code, text = server.rcpt(bare(address))
        except ValueError as error:
            refused[address] = Refusal(f"the address cannot be used, because {error}", True)
            continue
        if code == _CLOSING:
            raise smtplib.SMTPResponseException(code, text)
        if code in (250, 251, 252):
            accepted.append(address)
        else:
            refused[address] = _refusal(code, text)
    if message is None or not accepted:
        return refused
    try:
        _expect(server.data(message))
    except smtplib.SMTPResponseException as error:
        why = _refusal(error.smtp_code, error.smtp_error)
    except OSError:
        why = Refusal("the connection broke before the server confirmed the mail", False)
    else:
        return refused
    return refused | dict.fromkeys(accepted, why)


def _refusal(code: int, text: bytes | str) -> Refusal:
    answer = _answer(code, text)
    if code in _LOGIN:
        return Refusal(answer, False, SETTING_SECONDS)
    return Refusal(answer, code >= _FINAL)


def _connect(server: smtplib.SMTP, settings: Settings, where: str, tls: ssl.SSLContext) -> None:
    host = settings.smtp_host or ""
    # smtplib checks the certificate against this name. It sets it only if the constructor connects.
    server._host = host  # type: ignore[attr-defined]
    _expect(server.connect(host, settings.smtp_port), 220)
    server.ehlo_or_helo_if_needed()
    if settings.smtp_security == "none" and settings.smtp_user:
        log.warning("The password goes to %s without encryption: SMTP_SECURITY is none", where)
    if settings.smtp_security == "starttls":
        if not server.has_extn("starttls"):
            raise PermanentFailure(
                f"{where} offers no STARTTLS, and nothing is sent without encryption. Try "
                "SMTP_PORT=465 and SMTP_SECURITY=ssl."
            )
        _expect(server.starttls(context=tls), 220)
        server.ehlo()


def _log_in(server: smtplib.SMTP, settings: Settings) -> None:
    if settings.smtp_password is None:
        raise PermanentFailure("SMTP_USER is set: set SMTP_PASSWORD too.")
    try:
        server.login(settings.smtp_user or "", settings.smtp_password.get_secret_value())
    except UnicodeEncodeError:
        # The error quotes the password.
        raise PermanentFailure(
            "SMTP_USER or SMTP_PASSWORD has characters other than ASCII. A login cannot have them: "
            "set others."
        ) from None


def _cause(error: OSError, settings: Settings, where: str) -> PermanentFailure | TransientFailure:
    if isinstance(error, smtplib.SMTPResponseException):
        answer = _answer(error.smtp_code, error.smtp_error)
        text = f"{where} answers {answer}."
        if isinstance(error, smtplib.SMTPAuthenticationError):
            advice = "Check SMTP_USER and SMTP_PASSWORD (many providers want an app password)."
            text = f"{where} refuses the login of {settings.smtp_user}: {answer}. {advice}"
        if error.smtp_code >= _FINAL:
            return PermanentFailure(text)
        return TransientFailure(text, SETTING_SECONDS if error.smtp_code in _LOGIN else None)
    if isinstance(error, ssl.SSLCertVerificationError):
        return PermanentFailure(
            f"The certificate of {where} cannot be trusted: {error.verify_message}. Use the name "
            "that the certificate is for in SMTP_HOST, and a certificate that this machine trusts."
        )
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return PermanentFailure(
            f"{where} does not begin with TLS. Try SMTP_PORT=587 and SMTP_SECURITY=starttls."
        )
    if isinstance(error, ssl.SSLError):
        happened = f"broke off the encryption ({error.reason})"
    elif isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        happened = "does not answer"
    elif isinstance(error, smtplib.SMTPServerDisconnected):
        happened = "closed the connection"
    elif isinstance(error, smtplib.SMTPException):  # the only other one is that of the login
        return PermanentFailure(
            f"{where} offers none of the logins PLAIN, LOGIN and CRAM-MD5. Check SMTP_PORT and "
            "SMTP_SECURITY, or unset SMTP_USER if the server needs no login."
        )
    else:
        happened = f"cannot be reached ({error.strerror or type(error).__name__})"
    usual = {"ssl": 465, "starttls": 587}.get(settings.smtp_security, settings.smtp_port)
    advice = "Check SMTP_HOST and SMTP_PORT, and whether a firewall blocks the connection."
    if settings.smtp_port != usual:
        advice = (
            f"SMTP_SECURITY={settings.smtp_security} is usually served on port {usual}, not "
            f"{settings.smtp_port}: check SMTP_PORT."
        )
    return TransientFailure(f"{where} {happened}. {advice}")


def _cut(server: smtplib.SMTP) -> None:
    """Cut a session that takes too long. Whoever waits for the server sees it disconnect."""
    connection = server.sock
    if connection is not None:
        with suppress(OSError):
            # On the TCP socket below TLS, so that nothing more leaves the machine.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _expect(answer: tuple[int, bytes], expected: int = 250) -> None:
    if answer[0] != expected:
        raise smtplib.SMTPResponseException(*answer)


def _answer(code: int, text: bytes | str) -> str:
    """The server's answer on one line, without secrets: a server can repeat what it was sent."""
    words = text if isinstance(text, str) else text.decode("utf-8", "replace")
    # smtplib has the code -1 for an answer without one.
    said = [str(code)] if code > 0 else []
    return " ".join([*said, *without_secrets(words, Settings()).split()])[:300]

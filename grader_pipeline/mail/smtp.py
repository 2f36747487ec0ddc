"""One conversation with the SMTP server, and what its answers mean.

An answer of 4xx, a lost connection or a silence may be otherwise in a while; 5xx will not be
before somebody changes something. The classes of :mod:`grader_pipeline.failures` say which.

A whole conversation takes at most ``SESSION_SECONDS`` after the connection stands, however slowly
the server dribbles. Certificates are always verified; a connection is in the clear only when
SMTP_SECURITY says ``none``.
"""

import base64
import logging
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.settings import Settings

log = logging.getLogger(__name__)

ANSWER_SECONDS = 7
SESSION_SECONDS = 15
FAREWELL_SECONDS = 1  # the mail is taken by then; nobody should wait for the answer to QUIT

_FINAL = 500
_OK = (250, 251, 252)
_CLOSING = 421
_LINE = 300
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


@dataclass(frozen=True)
class Refusal:
    """Why a recipient did not get a mail, and whether another attempt is pointless."""

    text: str
    is_final: bool


@contextmanager
def session(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted, verified and logged in to, as the settings ask for.

    Raises TransientFailure and PermanentFailure, naming what to do. They cover the whole block:
    an error that escapes it means that the server has taken no mail.
    """
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    tls = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(timeout=ANSWER_SECONDS, context=tls, local_hostname=_own_name())
        if settings.smtp_security == "ssl"
        else smtplib.SMTP(timeout=ANSWER_SECONDS, local_hostname=_own_name())
    )
    deadline = threading.Timer(SESSION_SECONDS, _cut, [server])
    deadline.daemon = True
    deadline.start()
    try:
        _connect(server, settings, where)
        if settings.smtp_security == "starttls":
            _secure(server, tls, where)
        if settings.smtp_user:
            _log_in(server, settings, where)
        yield server
        _say_goodbye(server)
    except UnicodeEncodeError:
        raise PermanentFailure(
            "SMTP_FROM has characters other than ASCII, which this mail cannot carry."
        ) from None
    except OSError as error:  # smtplib's own errors are OSErrors too
        raise _cause(error, settings, where) from None
    finally:
        deadline.cancel()
        server.close()


def hand_over(
    server: smtplib.SMTP, sender: str, recipients: Sequence[str], message: bytes | None
) -> dict[str, Refusal]:
    """Give the server the mail for each recipient it takes; return the others.

    Without a message the server is only asked whom it would take. From the moment it has taken a
    recipient, trouble is told as that recipient's refusal, so that nobody's answer is lost.
    """
    _expect(server.mail(sender))
    refused: dict[str, Refusal] = {}
    taken: list[str] = []
    for address in recipients:
        try:
            code, text = server.rcpt(address)
        except UnicodeEncodeError:
            refused[address] = Refusal("the address has characters other than ASCII", True)
            continue
        if code == _CLOSING:
            raise smtplib.SMTPResponseException(code, text)
        if code in _OK:
            taken.append(address)
        else:
            refused[address] = Refusal(_answer(code, text), _is_final(code))
    if message is None or not taken:
        return refused
    try:
        code, text = server.data(message)
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, _bytes(error.smtp_error)
    except OSError:
        code, text = 0, b"the connection broke before the server confirmed the mail"
    if code != _OK[0]:
        refused |= {a: Refusal(_answer(code, text), _is_final(code)) for a in taken}
    return refused


def _connect(server: smtplib.SMTP, settings: Settings, where: str) -> None:
    host = settings.smtp_host or ""
    # smtplib checks the certificate against this name, and takes it only where it also connects.
    server._host = host  # type: ignore[attr-defined]
    _expect(server.connect(host, settings.smtp_port), greeting=220)
    server.ehlo_or_helo_if_needed()
    if settings.smtp_security == "none" and settings.smtp_user:
        log.warning("The password goes to %s in the clear, as SMTP_SECURITY=none asks", where)


def _secure(server: smtplib.SMTP, tls: ssl.SSLContext, where: str) -> None:
    if not server.has_extn("starttls"):
        raise PermanentFailure(
            f"{where} offers no STARTTLS, and nothing is sent in the clear. SMTP_PORT 465 and "
            "SMTP_SECURITY=ssl may be what it wants."
        )
    _expect(server.starttls(context=tls), greeting=220)
    server.ehlo()


def _log_in(server: smtplib.SMTP, settings: Settings, where: str) -> None:
    if settings.smtp_password is None:
        raise PermanentFailure("SMTP_USER is set: set SMTP_PASSWORD too.")
    try:
        server.login(settings.smtp_user or "", settings.smtp_password.get_secret_value())
    except smtplib.SMTPAuthenticationError as error:
        said = _said(error, settings)
        advice = "Check SMTP_USER and SMTP_PASSWORD (many providers want an app password)."
        raise _failure(
            error.smtp_code, f"{where} refuses the login of {settings.smtp_user}: {said}. {advice}"
        ) from None
    except UnicodeEncodeError:
        # The error itself quotes the password.
        raise PermanentFailure(
            "SMTP_USER or SMTP_PASSWORD has characters other than ASCII, which logins cannot carry."
        ) from None
    except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
        raise
    except smtplib.SMTPException:
        raise PermanentFailure(
            f"{where} offers no login that is known here (PLAIN, LOGIN, CRAM-MD5). Check "
            "SMTP_PORT and SMTP_SECURITY, or unset SMTP_USER if it wants none."
        ) from None


def _cause(error: OSError, settings: Settings, where: str) -> PermanentFailure | TransientFailure:
    """What an error of the connection means, and what to do about it."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = _said(error, settings)
        return _failure(error.smtp_code, f"{where} said {said}.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return PermanentFailure(
            f"The certificate of {where} cannot be trusted: {error.verify_message}. Use the name "
            "that the certificate is for in SMTP_HOST, and a certificate that this machine trusts."
        )
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return PermanentFailure(
            f"{where} does not speak TLS from the start: SMTP_PORT 587 and SMTP_SECURITY=starttls "
            "may be what it wants."
        )
    if isinstance(error, ssl.SSLError):
        happened = f"broke off the encryption ({error.reason})"
    elif isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        happened = "does not answer"
    elif isinstance(error, smtplib.SMTPServerDisconnected):
        happened = "closed the connection"
    else:
        happened = f"cannot be reached ({error.strerror or type(error).__name__})"
    return TransientFailure(f"{where} {happened}. {_port_hint(settings)}")


def _cut(server: smtplib.SMTP) -> None:
    """End a conversation that lasts too long; whoever waits for the server sees it disconnect."""
    connection = server.sock
    if connection is not None:
        with suppress(OSError):
            # Below TLS, so that nothing more can leave the machine, encrypted or not.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _say_goodbye(server: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        if server.sock is not None:
            server.sock.settimeout(FAREWELL_SECONDS)
        server.quit()


def _expect(answer: tuple[int, bytes], greeting: int = 250) -> None:
    code, text = answer
    if code != greeting:
        raise smtplib.SMTPResponseException(code, text)


def _is_final(code: int) -> bool:
    return code >= _FINAL


def _failure(code: int, text: str) -> PermanentFailure | TransientFailure:
    return PermanentFailure(text) if _is_final(code) else TransientFailure(text)


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _answer(code: int, text: bytes) -> str:
    """The server's answer on one line, its code first unless there was none."""
    said = text.decode("utf-8", "replace")
    return " ".join([*([str(code)] if code > 0 else []), *said.split()])[:_LINE]


def _said(error: smtplib.SMTPResponseException, settings: Settings) -> str:
    """The same with every secret blotted out, should the server repeat what it was told."""
    said = _answer(error.smtp_code, _bytes(error.smtp_error))
    for secret in settings.secrets():
        for spelling in (secret, base64.b64encode(secret.encode()).decode()):
            said = said.replace(spelling, "***")
    return said


def _port_hint(settings: Settings) -> str:
    usual = {"ssl": 465, "starttls": 587}.get(settings.smtp_security, settings.smtp_port)
    if settings.smtp_port == usual:
        return "Check SMTP_HOST and SMTP_PORT, and whether a firewall stands between."
    return (
        f"SMTP_SECURITY={settings.smtp_security} is usually served on port {usual}, not "
        f"{settings.smtp_port}: check SMTP_PORT."
    )


def _own_name() -> str:
    # What smtplib asks the name service for, which may take its time, the machine knows itself.
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"

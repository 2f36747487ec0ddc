"""One session with the SMTP server, and what its answers mean.

An answer 4xx, a lost connection or no answer is a TransientFailure: it can be different later. An
answer 5xx is a PermanentFailure: it stays until somebody changes something.

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
from grader_pipeline.settings import Settings

log = logging.getLogger(__name__)

ANSWER_SECONDS = 7
SESSION_SECONDS = 15
QUIT_SECONDS = 1  # the server has the mail by then, and its answer to QUIT does not matter

_FINAL = 500
_OK = (250, 251, 252)
_CLOSING = 421
_LINE = 300
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


@dataclass(frozen=True)
class Refusal:
    """Why a recipient did not get a mail, and whether sending again cannot help."""

    text: str
    is_final: bool


@contextmanager
def session(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted, verified and logged in, as the settings say.

    Raises TransientFailure and PermanentFailure with what to do, also for errors inside the block.
    If one is raised, the server took no mail.
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
        _quit(server)
    except UnicodeEncodeError:
        raise PermanentFailure(
            "SMTP_FROM has characters other than ASCII. A sender cannot have them: set another."
        ) from None
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
            code, text = server.rcpt(address)
        except UnicodeEncodeError:
            refused[address] = Refusal("the address has characters other than ASCII", True)
            continue
        if code == _CLOSING:
            raise smtplib.SMTPResponseException(code, text)
        if code in _OK:
            accepted.append(address)
        else:
            refused[address] = Refusal(_answer(code, text), _is_final(code))
    if message is None or not accepted:
        return refused
    try:
        code, text = server.data(message)
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, _bytes(error.smtp_error)
    except OSError:
        code, text = 0, b"the connection broke before the server confirmed the mail"
    if code != _OK[0]:
        refused |= {a: Refusal(_answer(code, text), _is_final(code)) for a in accepted}
    return refused


def _connect(server: smtplib.SMTP, settings: Settings, where: str) -> None:
    host = settings.smtp_host or ""
    # smtplib checks the certificate against this name. It sets it only if the constructor connects.
    server._host = host  # type: ignore[attr-defined]
    _expect(server.connect(host, settings.smtp_port), greeting=220)
    server.ehlo_or_helo_if_needed()
    if settings.smtp_security == "none" and settings.smtp_user:
        log.warning("The password goes to %s without encryption: SMTP_SECURITY is none", where)


def _secure(server: smtplib.SMTP, tls: ssl.SSLContext, where: str) -> None:
    if not server.has_extn("starttls"):
        raise PermanentFailure(
            f"{where} offers no STARTTLS, and nothing is sent without encryption. Try "
            "SMTP_PORT=465 and SMTP_SECURITY=ssl."
        )
    _expect(server.starttls(context=tls), greeting=220)
    server.ehlo()


def _log_in(server: smtplib.SMTP, settings: Settings, where: str) -> None:
    if settings.smtp_password is None:
        raise PermanentFailure("SMTP_USER is set: set SMTP_PASSWORD too.")
    try:
        server.login(settings.smtp_user or "", settings.smtp_password.get_secret_value())
    except smtplib.SMTPAuthenticationError as error:
        answer = _answer_of(error, settings)
        advice = "Check SMTP_USER and SMTP_PASSWORD (many providers want an app password)."
        raise _failure(
            error.smtp_code,
            f"{where} refuses the login of {settings.smtp_user}: {answer}. {advice}",
        ) from None
    except UnicodeEncodeError:
        # The error quotes the password.
        raise PermanentFailure(
            "SMTP_USER or SMTP_PASSWORD has characters other than ASCII. A login cannot have them: "
            "set others."
        ) from None
    except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
        raise
    except smtplib.SMTPException:
        raise PermanentFailure(
            f"{where} offers none of the logins PLAIN, LOGIN and CRAM-MD5. Check SMTP_PORT and "
            "SMTP_SECURITY, or unset SMTP_USER if the server needs no login."
        ) from None


def _cause(error: OSError, settings: Settings, where: str) -> PermanentFailure | TransientFailure:
    """What an error of the connection means, and what to do about it."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _failure(error.smtp_code, f"{where} answers {_answer_of(error, settings)}.")
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
    else:
        happened = f"cannot be reached ({error.strerror or type(error).__name__})"
    return TransientFailure(f"{where} {happened}. {_port_hint(settings)}")


def _cut(server: smtplib.SMTP) -> None:
    """Cut a session that takes too long. Whoever waits for the server sees it disconnect."""
    connection = server.sock
    if connection is not None:
        with suppress(OSError):
            # On the TCP socket below TLS, so that nothing more leaves the machine.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _quit(server: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        if server.sock is not None:
            server.sock.settimeout(QUIT_SECONDS)
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
    """The server's answer on one line. It begins with the code, if there is one."""
    words = text.decode("utf-8", "replace").split()
    return " ".join([*([str(code)] if code > 0 else []), *words])[:_LINE]


def _answer_of(error: smtplib.SMTPResponseException, settings: Settings) -> str:
    """The answer in an error, without secrets: a server can repeat what it was sent."""
    text = _bytes(error.smtp_error).decode("utf-8", "replace")
    return _answer(error.smtp_code, without_secrets(text, settings).encode())


def _port_hint(settings: Settings) -> str:
    usual = {"ssl": 465, "starttls": 587}.get(settings.smtp_security, settings.smtp_port)
    if settings.smtp_port == usual:
        return "Check SMTP_HOST and SMTP_PORT, and whether a firewall blocks the connection."
    return (
        f"SMTP_SECURITY={settings.smtp_security} is usually served on port {usual}, not "
        f"{settings.smtp_port}: check SMTP_PORT."
    )


def _own_name() -> str:
    # smtplib would ask the name service, which can take long.
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"

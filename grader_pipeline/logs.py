"""The log of all processes: GRADER_HOME/logs/app_log.txt, or stdout (GRADER_LOG).

All modules log through ``logging.getLogger(__name__)``. :func:`configure` connects the logger
``grader_pipeline`` to it. Dagster's ``context.log`` is outside that tree: dagster.yaml gives
a run's to :func:`handler`, and a sensor can add it to its own.

``log_lines.py`` has the forms of a line. The first line after midnight rotates the file, and the
three newest archives stay (``app_log.txt.2025-11-07``). Processes write one at a time. No secret of
the settings gets into a line.
"""

import errno
import html
import json
import logging
import os
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from urllib.parse import unquote

import psycopg
from concurrent_log_handler import ConcurrentTimedRotatingFileHandler
from psycopg.conninfo import conninfo_to_dict

from grader_pipeline.log_lines import JsonLines, Stream, TextLines
from grader_pipeline.settings import Settings

ARCHIVES = 3

TO_STDERR = "LOG_LINES_TO_STDERR"
"""In the environment of a command whose stdout is its answer, and of what it starts."""

SHORTEST_SECRET = 8
"""Signs of the shortest secret that is looked for in texts."""

_LINE_ROOM = 64 * 1024
"""Free bytes of the disk below which no line is begun: a full disk would take half of it."""

_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)
_USER_INFO = re.compile(r"//[^/?#]*@")
_VALUE = re.compile(r"=[^&#]*")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]|%2[BbFf]){11,}(?:=|%3[Dd]){0,2}", re.ASCII)

# A percent-encoded, quoted-printable or escaped sign may end in a letter or digit.
_ESCAPES = (
    "[%=][0-9A-Fa-f]{2}", r"\\[abfnrtv0]", r"\\x[0-9A-Fa-f]{2}", r"\\u[0-9A-Fa-f]{4}",
)  # fmt: skip

# A password as DATABASE_URL writes it: before the host, or as a parameter.
_PASSWORD = re.compile(r"//[^:/@]*:(.+)@|\bpassword\s*=\s*(?:'([^']*)|([^\s&']+))")


def configure() -> None:
    """Connect the logger ``grader_pipeline`` to the log. A second call changes nothing."""
    logger = logging.getLogger("grader_pipeline")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler())
    # Below WARNING they log the addresses that are asked and the headers sent, keys included.
    for library in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)


@cache
def handler() -> logging.Handler:
    """The one handler of the log in this process."""
    return _AppLog(logging.INFO)


class _AppLog(logging.Handler):
    """Writes each record once, to the log of the current GRADER_HOME.

    If the log cannot be written, stderr gets the error and the work goes on.
    """

    def emit(self, record: logging.LogRecord) -> None:
        # In a run, a record comes here twice: also through Dagster's handler.
        if getattr(record, "in_app_log", False):
            return
        record.in_app_log = True
        try:
            stream = "stderr" if TO_STDERR in os.environ else "stdout"
            output = _output(os.environ.get("GRADER_HOME"), os.getpid(), stream)
            if isinstance(output, logging.FileHandler):
                _require_room(output.baseFilename)
            output.emit(record)
        except OSError:
            self.handleError(record)


def _require_room(file: str) -> None:
    disk = os.statvfs(Path(file).parent)
    if disk.f_bavail * disk.f_frsize < _LINE_ROOM:
        text = "The disk is full, and this line is not in the log. Make room, or move GRADER_HOME"
        raise OSError(errno.ENOSPC, text, file)


@cache
def _output(_grader_home: str | None, _process: int, stream: str) -> logging.Handler:
    # Each process opens the file for itself: a fork would share its parent's lock.
    settings = Settings()
    clean = partial(without_secrets, settings=settings)
    form = JsonLines(clean) if settings.log_form == "json" else TextLines(clean)
    is_file = settings.log_form == "file"
    output = _file(settings) if is_file else Stream(stream, settings.stdout_lock)
    output.setFormatter(form)
    return output


def _file(settings: Settings) -> logging.Handler:
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    return ConcurrentTimedRotatingFileHandler(
        str(settings.logs_dir / "app_log.txt"),
        when="midnight",
        backupCount=ARCHIVES,
        encoding="utf-8",
        unicode_error_policy="replace",
    )


def without_secrets(text: str, settings: Settings) -> str:
    """The text with ``***`` in place of each secret of the settings, and of what URLs may hide.

    Covers a secret as it is, percent-encoded in any way, as a form encodes it, escaped for JSON or
    HTML, and in base64, also together with a user (SMTP's AUTH, HTTP's Basic); of DATABASE_URL also
    the password alone, of a service account its private key. A secret is replaced where it is a
    whole token and has at least SHORTEST_SECRET signs: a shorter one may be an ordinary word. Of
    base64 the whole word is replaced that has a secret in it. Each URL loses its user-info and the
    values of its query, whatever they are. Use it for each text that comes from outside and goes to
    a log, an error or the terminal. The pipeline's own texts are built without secrets.
    """
    known = {part for secret in settings.secrets() for part in _parts(secret)}
    parts = sorted(filter(_is_long, known), key=len, reverse=True)
    text = _BASE64.sub(lambda found: "***" if _encodes(found[0], parts) else found[0], text)
    for part in parts:
        for pattern in _patterns(part):
            text = pattern.sub("***", text)
    return _URL.sub(_without_login_and_values, text)


def _without_login_and_values(url: re.Match[str]) -> str:
    address = _USER_INFO.sub("//***@", url[0])
    place, mark, query = address.partition("?")
    return place + mark + _VALUE.sub("=***", query)


def _is_long(part: str) -> bool:
    return len(part) >= SHORTEST_SECRET


def _encodes(word: str, parts: Iterable[str]) -> bool:
    """Whether a word of base64 letters has one of the parts in it, wherever the base64 begins."""
    letters = unquote(word).rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    # A full length needs no padding. What the added letters stand for is behind the secret.
    contents = [
        b64decode(letters[start:] + "A" * ((start - len(letters)) % 4)) for start in range(4)
    ]
    return any(part.encode() in content for part in parts for content in contents)


@cache
def _patterns(part: str) -> tuple[re.Pattern[str], ...]:
    """Find a part of a secret where it is no part of a word, however it is written."""
    forms = {html.escape(part), json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
    written = [re.escape(form) for form in sorted(forms, key=len, reverse=True)]
    return tuple(_token(part, text) for text in ("".join(map(_percent, part)), *written))


def _percent(sign: str) -> str:
    """A sign as it is, or percent-encoded once or more. A form writes a blank as a plus."""
    codes = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in sign.encode())
    return f"(?:{re.escape(sign)}|{codes}{'|[+]' if sign == ' ' else ''})"


def _token(part: str, text: str) -> re.Pattern[str]:
    """Finds ``text`` where it is no part of a word. A sign that is escaped is no part of one."""
    before = rf"(?:(?<!\w){''.join(f'|(?<={escape})' for escape in _ESCAPES)})"
    starts, ends = re.match(r"\w", part[0]), re.match(r"\w", part[-1])
    return re.compile((before if starts else "") + text + (r"(?!\w)" if ends else ""))


def _parts(secret: str) -> Iterator[str]:
    yield secret
    # The password in a DATABASE_URL, encoded as it is there, and decoded.
    for found in _PASSWORD.findall(secret):
        for password in found:
            yield password
            # What libpq takes for a host or a name if the password has a raw @ or /.
            yield from re.split("[@/]", password)
    with suppress(psycopg.ProgrammingError):
        yield str(conninfo_to_dict(secret).get("password") or "")
    # The private key in a service account's JSON, and its id.
    with suppress(ValueError):
        if isinstance(content := json.loads(secret), dict):
            yield str(content.get("private_key") or "")
            yield str(content.get("private_key_id") or "")

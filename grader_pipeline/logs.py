"""The log file: GRADER_HOME/logs/app_log.txt, one story told by all processes.

Every module of ours logs through ``logging.getLogger(__name__)``; :func:`configure` joins the
``grader_pipeline`` logger to the file. Two kinds of lines do not come that way: ``context.log`` of
a run, which dagster.yaml hands to :func:`handler`, and ``context.log`` of a sensor or schedule,
which is a logger outside the tree and has to be joined by :func:`follow`.

Lines read ``2025-11-07 10:15:00 - INFO: message``, in this machine's time zone; what belongs to a
line (a traceback) follows it indented. The file is rotated at the first line after midnight, the
three newest archives are kept (``app_log.txt.2025-11-07``), and processes write one at a time.
Secrets of the settings never reach it.
"""

import html
import json
import logging
import os
import re
from base64 import b64encode
from functools import cache
from urllib.parse import quote, quote_plus

import psycopg
from concurrent_log_handler import ConcurrentTimedRotatingFileHandler
from psycopg.conninfo import conninfo_to_dict

from grader_pipeline.settings import SAMPLE_CLIENT, Settings

ARCHIVES = 3

# What could move a terminal's cursor or begin a line that nobody logged.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

# A password as DATABASE_URL writes it: before the host, or as a parameter.
_PASSWORD = re.compile(r"//[^:/@]*:(.+)@|\bpassword\s*=\s*(?:'([^']*)|([^\s&']+))")


def configure() -> None:
    """Join everything that ``grader_pipeline`` logs to the file; doing so again changes nothing."""
    logger = logging.getLogger("grader_pipeline")
    logger.setLevel(logging.INFO)
    follow(logger)
    # Below WARNING they log the addresses that are asked and the headers sent, keys included.
    for library in ("httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.WARNING)


def follow(logger: logging.Logger) -> None:
    """Join a logger that is outside ours, such as a sensor's ``context.log``, to the file."""
    if handler() not in logger.handlers:
        logger.addHandler(handler())


@cache
def handler() -> logging.Handler:
    """Give this process's one handler of the file."""
    return _AppLog(logging.INFO)


class _AppLog(logging.Handler):
    """Writes each record once, to the file of the GRADER_HOME of that moment.

    The file is opened with its first line, so that importing the pipeline writes nothing. A log
    that cannot be written is said on stderr and stops nobody's work.
    """

    def emit(self, record: logging.LogRecord) -> None:
        # A record of ours comes by itself, and in a run again through Dagster's handler.
        if getattr(record, "in_app_log", False):
            return
        record.in_app_log = True
        try:
            _file(os.environ.get("GRADER_HOME"), os.getpid()).emit(record)
        except OSError:
            self.handleError(record)


@cache
def _file(_grader_home: str | None, _process: int) -> logging.Handler:
    # A fork that went on with the open file would share the lock that keeps lines apart.
    settings = Settings()
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    file = ConcurrentTimedRotatingFileHandler(
        str(settings.logs_dir / "app_log.txt"),
        when="midnight",
        backupCount=ARCHIVES,
        encoding="utf-8",
        unicode_error_policy="replace",
    )
    file.setFormatter(_Lines(settings))
    return file


class _Lines(logging.Formatter):
    """A record as text that begins one line, and holds no secret."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("%(asctime)s - %(levelname)s: %(message)s", "%Y-%m-%d %H:%M:%S")
        self._settings = settings

    def format(self, record: logging.LogRecord) -> str:
        text = without_secrets(super().format(record), self._settings)
        text = text.replace("\r\n", "\n").replace("\n", "\n    ")
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def without_secrets(text: str, settings: Settings, *others: str) -> str:
    """The text with ``***`` in place of each secret of the settings, and of ``others``.

    Covers a secret as it is, percent-encoded, as a form encodes it, escaped for JSON or HTML, and
    in base64; of DATABASE_URL also the password alone, of a service account its private key. Use it
    for each text that comes from outside and goes to a log, an error or the terminal.
    """
    # The sample API's key is public, and a word of the logs.
    secrets = {*settings.secrets(), *others} - {SAMPLE_CLIENT}
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


@cache
def _forms(secret: str) -> frozenset[str]:
    """All texts that a secret, or the part of it that gives access, may be written as."""
    parts = [secret, *_private_keys(secret), *_passwords(secret)]
    return frozenset(
        form
        for part in filter(None, parts)
        for form in (
            *(part, quote(part), quote(part, safe=""), quote_plus(part)),
            *(json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]),
            *(html.escape(part), b64encode(part.encode()).decode()),
        )
    )


def _passwords(database: str) -> list[str]:
    """The password in a DATABASE_URL, encoded as it is there, and decoded."""
    written = [part for found in _PASSWORD.findall(database) for part in found]
    try:
        return [*written, str(conninfo_to_dict(database).get("password") or "")]
    except psycopg.ProgrammingError:
        return written


def _private_keys(document: str) -> list[str]:
    """The private key in a service account's JSON, and its id."""
    try:
        content = json.loads(document)
    except ValueError:
        return []
    if not isinstance(content, dict):
        return []
    return [str(content[key]) for key in ("private_key", "private_key_id") if content.get(key)]

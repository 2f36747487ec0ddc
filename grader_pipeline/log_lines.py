"""The forms of a log line, and a stream of a process that shares it with others.

``clean`` is a function that takes the secrets out of a text.
"""

import datetime as dt
import fcntl
import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Clean = Callable[[str], str]

# Characters that move a terminal's cursor or begin a new line.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# Of them, those that JSON does not escape.
_UNESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class TextLines(logging.Formatter):
    """``2025-11-07 10:15:00 - INFO: message``, in this machine's time zone.

    Further lines of a message are indented.
    """

    def __init__(self, clean: Clean) -> None:
        super().__init__("%(asctime)s - %(levelname)s: %(message)s", "%Y-%m-%d %H:%M:%S")
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, without secrets."""
        text = self._clean(super().format(record))
        text = text.replace("\r\n", "\n").replace("\n", "\n    ")
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class JsonLines(logging.Formatter):
    """One JSON object a line: ``ts`` (UTC, ISO 8601), ``level``, ``logger``, ``message``.

    Also ``run`` and ``day`` in a run of Dagster, and ``traceback`` of an error.
    """

    def __init__(self, clean: Clean) -> None:
        super().__init__()
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, without secrets."""
        run = _run_of(record)
        message = run.get("orig_message") or record.getMessage()
        line = {
            "ts": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "logger": record.name,
            "message": self._clean(message),
        }
        if run.get("run_id"):
            line["run"] = run["run_id"]
        if day := (run.get("job_tags") or {}).get("dagster/partition"):
            line["day"] = day
        if record.exc_info:
            line["traceback"] = self._clean(self.formatException(record.exc_info))
        text = json.dumps(line, ensure_ascii=False)
        return _UNESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Stream(logging.Handler):
    """Writes each line whole to ``stdout`` or ``stderr``, which other processes may have as well.

    ``lock`` is a file by which they take turns: a pipe keeps only short lines whole.
    """

    def __init__(self, name: str, lock: Path) -> None:
        super().__init__()
        self._name = name
        lock.parent.mkdir(parents=True, exist_ok=True)
        self._lock = lock.open("a")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        line, stream = self.format(record), getattr(sys, self._name)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            stream.write(f"{line}\n")
            stream.flush()
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)


def _run_of(record: logging.LogRecord) -> dict[str, Any]:
    """What Dagster knows of the run that logs: in the record, or in its handler of our loggers."""
    if found := getattr(record, "dagster_meta", None):
        return dict(found)
    for handler in logging.getLogger("grader_pipeline").handlers:
        if known := getattr(handler, "metadata", None):
            return dict(known)
    return {}

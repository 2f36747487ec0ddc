"""The state of the server that acts as Google, and the faults that it can be given."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet


@dataclass(frozen=True)
class Fault:
    """What happens to one request. ``status`` 0 drops the connection instead of answering."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    applied: bool = False
    seconds: float = 0
    """How long it keeps silent first."""
    trickle: bool = False
    """Whether the answer comes byte by byte."""


@dataclass
class Google:
    """The server's state, and what was asked of it."""

    account: str
    public_key: bytes
    books: dict[str, Spreadsheet] = field(default_factory=dict)
    may_read: bool = True
    may_write: bool = True
    api_enabled: bool = True
    token_error: dict[str, str] | None = None
    quota: int | None = None
    """So many requests a minute; the minute is over once it has refused ten."""
    refused_by_quota: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    faults: dict[str, deque[Fault | None]] = field(default_factory=dict)
    """The faults to come, by kind of request: token, drive, get, batchUpdate. None: none."""
    wake: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    written: int = 0
    """The bytes of all requests that write."""
    answered: int = 0
    """The bytes of all answers."""
    _this_minute: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def fail(self, kind: str, *faults: Fault) -> None:
        self.faults.setdefault(kind, deque()).extend(faults)

    def count(self, kind: str) -> int:
        return sum(asked == kind for asked, _path in self.asked)

    def answer(
        self, kind: str, work: Callable[[], tuple[int, Any]]
    ) -> tuple[int, Any, Fault | None]:
        with self._lock:
            waiting = self.faults.get(kind)
            fault = waiting.popleft() if waiting else None
            if fault and not fault.applied:
                return fault.status, fault.body, fault
            if kind != "token" and self._is_over_quota():
                return (
                    429,
                    error(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric"),
                    None,
                )
            status, document = work()
            return status, document, fault

    def _is_over_quota(self) -> bool:
        if self.quota is None:
            return False
        self._this_minute += 1
        if self._this_minute <= self.quota:
            return False
        self.refused_by_quota += 1
        if self._this_minute == self.quota + 10:
            self._this_minute = 0
        return True


def error(status: int, word: str, message: str, reason: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"code": status, "message": message, "status": word}
    if reason:
        body["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    return {"error": body}

"""Serves changed code: the code server imports once, so it is started again.

A run looks for itself whether the code has changed (``runs/run_server.py``).
"""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from grader_pipeline.local.services import Services
from grader_pipeline.local.stack import CODE_SERVER
from grader_pipeline.runs.code_files import code_files

log = logging.getLogger(__name__)

SECONDS = 5


@dataclass
class CodeWatch:
    """Looks every SECONDS whether the code, or a report, has changed."""

    services: Services
    _served: dict[Path, int] = field(default_factory=code_files)
    _looked: float = 0

    def look(self) -> None:
        """Start the code server again if the code has changed."""
        if time.monotonic() - self._looked < SECONDS:
            return
        self._looked = time.monotonic()
        if (now := code_files()) != self._served:
            log.info("The code has changed; starting the code server again")
            self._served = now
            self.services.restart(CODE_SERVER)

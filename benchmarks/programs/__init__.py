"""What is measured: programs of their own, which read what to do from their environment.

Each does one thing from start to end. Its last line is JSON, with what only it can know: ``work``
and ``cpu``, the seconds and the CPU seconds that it took once everything was imported.
"""

import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def reported(**more: object) -> Iterator[dict[str, Any]]:
    """Time the block and print the last line, with what the block puts into the dict."""
    said: dict[str, Any] = {**more}
    begun, cpu = time.perf_counter(), cpu_seconds()
    yield said
    seconds = {"work": time.perf_counter() - begun, "cpu": cpu_seconds() - cpu}
    print(json.dumps({**seconds, **said}), flush=True)


def cpu_seconds() -> float:
    """CPU seconds of this process so far, and of its children that have ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)

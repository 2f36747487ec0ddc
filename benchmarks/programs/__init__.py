"""What is measured: programs of their own, told what to do by their environment.

Each does one thing from start to end and says in its last line, as JSON, what only it can know:
``work``, the seconds it took once everything was imported.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def reported(**more: object) -> Iterator[dict[str, Any]]:
    """Time the block and say so; what it puts into the dict is said too."""
    said: dict[str, Any] = {**more}
    begun = time.perf_counter()
    yield said
    print(json.dumps({"work": time.perf_counter() - begun, **said}), flush=True)

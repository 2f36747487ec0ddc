"""How long a run has waited for others: for its place in a pool, and for locks that they had."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

_SHOWN = 0.05
"""Shorter waits are in the total only."""


class LockWaits:
    """The seconds that this run has waited, by what for."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def waiting_for(self, what: str) -> Iterator[None]:
        """Count the time of the block as waiting."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds[what] += time.monotonic() - begun

    def note_start(self, context: dg.AssetExecutionContext, pool: str) -> None:
        """Count the time from the start of the run until now, its first step, as waiting."""
        self.seconds[f"pool {pool}"] += _seconds_of_run(context)

    def in_words(self, context: dg.AssetExecutionContext) -> str:
        """All waits in one line, with their share of the time since the run started."""
        total, run = sum(self.seconds.values()), _seconds_of_run(context)
        share = f" ({min(total / run, 1):.0%} of the run)" if run else ""
        parts = [f"{what} {s:.1f} s" for what, s in self.seconds.items() if s >= _SHOWN]
        return f"{total:.1f} s{share}" + (f": {', '.join(parts)}" if parts else "")


def _seconds_of_run(context: dg.AssetExecutionContext) -> float:
    """How long ago the run started; 0 if Dagster has not noted it."""
    record = context.instance.get_run_record_by_id(context.run.run_id)
    return max(time.time() - record.start_time, 0) if record and record.start_time else 0

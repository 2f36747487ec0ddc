"""Each stage of a day by itself, in CPU seconds of the program and of PostgreSQL.

``python -m benchmarks.programs.stages DAY FEW_DAY…``: the days FEW_DAY from the API ``BENCH_FEW``,
the first of which warms up, then DAY. An asset is a run of its own. Splitting is measured again,
from the stored answer. Rolling up is measured inside of the load: what a client of PostgreSQL does
of it in a thread, while the attempts are copied, is that thread's CPU only.
"""

import hashlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import dagster as dg
import psycopg

from benchmarks.programs import cpu_seconds, reported
from benchmarks.programs.pipeline import execute
from benchmarks.servers import Postgres, server_of
from grader_pipeline.asset_names import ASSET_NAMES, METRICS, RAW_ATTEMPTS
from grader_pipeline.assets import step3_grader_table
from grader_pipeline.attempts.response import batches, unpacked
from grader_pipeline.attempts.rollup import DayRollup
from grader_pipeline.object_store import open_file
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.report_files import reports
from grader_pipeline.runs.warm_up import warm_up
from grader_pipeline.storage import day_file

SPLITTING, ROLLUP = "splitting", "rollup"


class Meter:
    """CPU seconds of each stage so far: the program's, and PostgreSQL's."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    @contextmanager
    def of(self, stage: str, *, of_server: bool = True) -> Iterator[None]:
        """Add what the block takes."""
        before = self._read(of_server=of_server)
        yield
        after = self._read(of_server=of_server)
        for place in range(2):
            self.spent[stage][place] += after[place] - before[place]

    def around(self, stage: str, owner: Any, name: str, *, of_server: bool) -> None:  # noqa: ANN401
        """Add what each call of a function takes."""
        function: Callable[..., Any] = getattr(owner, name)

        @wraps(function)
        def metered(*given: object, **named: object) -> object:
            with self.of(stage, of_server=of_server):
                return function(*given, **named)

        setattr(owner, name, metered)

    def _read(self, *, of_server: bool) -> tuple[float, float]:
        # What is done beside the server is done in a thread.
        return (cpu_seconds(), self._server.cpu()) if of_server else (time.thread_time(), 0.0)


def main() -> None:
    """Run the stages of each day; say of each how many elements it had, and what they took."""
    large, *few = sys.argv[1:]
    warm_up()
    url = os.environ["DATABASE_URL"]
    meter = Meter(server_of(url))
    meter.around(ROLLUP, step3_grader_table, "roll_up", of_server=True)
    for name in ("add", "summed_up"):
        meter.around(ROLLUP, DayRollup, name, of_server=False)
    of_large = os.environ["GRADER_API_URL"]
    tables = [report.name for report in reports()]
    with dg.DagsterInstance.get() as instance, reported(days=[]) as said:
        for day in (*few, large):
            os.environ["GRADER_API_URL"] = of_large if day == large else os.environ["BENCH_FEW"]
            meter.spent.clear()
            for asset in ASSET_NAMES:
                with meter.of(asset):
                    execute(instance, day, [asset, *(tables if asset == METRICS else ())])
                if asset == RAW_ATTEMPTS:
                    with meter.of(SPLITTING):
                        _split(day)
            said["days"].append({"elements": _received(url, day), "stages": dict(meter.spent)})


def _split(day: str) -> None:
    digest = hashlib.sha256()
    with unpacked(open_file(day_file(RAW_ATTEMPTS, school_day(day).date))) as body:
        for _ in batches(body, 1, digest.update):
            pass


def _received(url: str, day: str) -> int:
    query = "SELECT received FROM grader_load WHERE report_date = %s"
    with psycopg.connect(url) as db:
        return int((db.execute(query, [day]).fetchone() or [0])[0])


if __name__ == "__main__":
    main()

"""All reports of one day, again and again: ``seconds`` and CPU seconds (``spent``) of each time.

As on every morning, those of the day before are computed first. That is not counted.
"""

import os
import sys
import time

from benchmarks.history import days_around
from benchmarks.programs import cpu_seconds, reported
from benchmarks.servers import server_of
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.tables import store_reports
from grader_pipeline.resources.postgres import Postgres


def main() -> None:
    """Compute the reports of a day so many times, each committed."""
    day, times = school_day(sys.argv[1]), int(sys.argv[2])
    (day_before,) = days_around(day, before=1)
    postgres, server = Postgres(), server_of(os.environ["DATABASE_URL"])
    with reported(seconds=[], spent=[]) as said:
        for _ in range(times):
            store_reports(postgres, reports(), day_before)
            begun, cpu = time.perf_counter(), cpu_seconds() + server.cpu()
            store_reports(postgres, reports(), day)
            said["seconds"].append(time.perf_counter() - begun)
            said["spent"].append(cpu_seconds() + server.cpu() - cpu)
    postgres.close()


if __name__ == "__main__":
    main()

"""All reports of one day, again and again: ``seconds`` are those of each time."""

import sys
import time

from benchmarks.programs import reported
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.tables import store_reports
from grader_pipeline.resources.postgres import Postgres


def main() -> None:
    """Compute the reports of a day so many times, each committed."""
    day, times = school_day(sys.argv[1]), int(sys.argv[2])
    postgres = Postgres()
    with reported(seconds=[]) as said:
        for _ in range(times):
            begun = time.perf_counter()
            store_reports(postgres, reports(), day)
            said["seconds"].append(time.perf_counter() - begun)
    postgres.close()


if __name__ == "__main__":
    main()

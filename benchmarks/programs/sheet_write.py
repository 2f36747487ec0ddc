"""One more day on a sheet of so many days: ``python -m benchmarks.programs.sheet_write DAYS``.

It says the bytes ``written`` to a Google of the tests and ``read`` from it, and the CPU seconds of
the same day in the local ``workbook``, written by a process as the run server forks it.
"""

import os
import sys

from benchmarks.programs import cpu_seconds, reported
from grader_pipeline.runs.warm_up import warm_up
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import daily_report
from grader_pipeline_tests.sheet.google_account import google_with_a_book, new_key_pair
from grader_pipeline_tests.sheet.sheets_given import BOOK
from grader_pipeline_tests.sheet.test_google_bytes import cost_of_a_day, rows


def main() -> None:
    """Write the day to both."""
    days = int(sys.argv[1])
    # A run's garbage collector runs seldom. Python's own looks at all cells again and again.
    warm_up()
    with reported() as said:
        Sheets().show(daily_report(newest_first(days)))
        before = cpu_seconds()
        Sheets().show(daily_report(newest_first(days + 1)))
        said["workbook"] = cpu_seconds() - before
        with google_with_a_book(new_key_pair()) as (google, settings):
            os.environ.update(settings)
            said["written"], said["read"] = cost_of_a_day(google, google.books[BOOK], days)


def newest_first(days: int) -> list[dict[str, object]]:
    """The lines of so many days, as the database gives them."""
    return sorted(rows(days), key=lambda row: row["report_date"], reverse=True)


if __name__ == "__main__":
    main()

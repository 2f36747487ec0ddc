"""What the reports of a day cost, when there are years in the table and when there are none."""

from functools import partial
from statistics import median

from benchmarks.history import days_around, fill
from benchmarks.lab import DAY, Lab, interleaved
from benchmarks.results import Figure, Outcome

_PER_LARGE_DAY = 10
_DAYS_OF_HISTORY = 150
_TIMES_EACH = 4  # of which the first is not counted: it fills caches


def reports_of_a_day(lab: Lab) -> Outcome:
    """All of sql/reports for one day."""
    rows = lab.rows // _PER_LARGE_DAY
    with lab.postgres.database() as one_day, lab.postgres.database() as years:
        fill(years, days_around(DAY, before=_DAYS_OF_HISTORY - 1), rows)
        for url in (one_day, years):
            fill(url, [DAY], rows, tended=False)
        measured = {
            f"reports, {days * rows:,} rows": partial(
                lab.run, "benchmarks.programs.reports", url, {}, DAY.key, str(_TIMES_EACH)
            )
            for days, url in ((1, one_day), (_DAYS_OF_HISTORY, years))
        }
        runs = interleaved(lab.times, measured)
    seconds = [[median(run.said["seconds"][1:]) for run in those] for those in runs.values()]
    figures = [
        Figure(
            f"all reports of a day at {_DAYS_OF_HISTORY * rows:,} rows ÷ at one day of {rows:,}",
            median(full / alone for alone, full in zip(*seconds, strict=True)), at_most=2,
        ),
        Figure("- at one day", median(seconds[0]), unit=" s"),
    ]  # fmt: skip
    return Outcome(figures, runs)

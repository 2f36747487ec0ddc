"""What one more day costs the sheet, by the days that it has already."""

from functools import partial
from statistics import median

import numpy as np

from benchmarks.lab import Lab, interleaved
from benchmarks.results import Figure, Outcome

_SIZES = (1, 100, 400, 1_100)
_YEAR = 365
_KB = 1000


def sheet_write(lab: Lab) -> Outcome:
    """Bytes to and from Google, and the CPU of the local workbook, which is written as a whole."""
    measured = {
        size: partial(lab.run, "benchmarks.programs.sheet_write", "", {}, str(size))
        for size in _SIZES
    }
    runs = interleaved(lab.times, {f"sheet of {n:,} days": run for n, run in measured.items()})
    values = {
        what: [median(run.said[what] for run in taken) for taken in runs.values()]
        for what in ("written", "read", "workbook")
    }
    alone, *_, many = values["written"]
    figures = [
        Figure(
            f"bytes of a day's write to Google at {_SIZES[-1]:,} stored days ÷ at one",
            many / alone, at_most=2,
        ),
        Figure("- at one", alone / _KB, unit=" KB"),
        Figure("- read beside it, at one", values["read"][0] / _KB, unit=" KB"),
        Figure("- read beside it, a further year", _a_year(values["read"]) / _KB, unit=" KB"),
        Figure("- CPU of the workbook, at one", values["workbook"][0], unit=" s"),
        Figure("- CPU of the workbook, a further year", _a_year(values["workbook"]), unit=" s"),
    ]  # fmt: skip
    return Outcome(figures, runs)


def _a_year(values: list[float]) -> float:
    """What a further year of days adds: the fitted slope."""
    return float(np.polyfit(_SIZES, values, 1)[0]) * _YEAR

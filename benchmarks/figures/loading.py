"""What a day costs a second time, and when it is dirty."""

from functools import partial
from operator import attrgetter
from statistics import median

from benchmarks.lab import DAY, Lab, Run, interleaved, ratio
from benchmarks.results import Figure, Outcome
from benchmarks.servers import sample_api

_PER_LARGE_DAY = 10
"""The day is so much smaller than the largest."""

_wall, _work = map(attrgetter, ("wall", "work"))


def second_run(lab: Lab) -> Outcome:
    """A day again, when all of it is there already.

    A day of next to nothing shows what of the log of changes is Dagster's own, whatever the rows.
    """
    rows, few = lab.rows // _PER_LARGE_DAY, lab.rows // _PER_LARGE_DAY // 100
    runs: dict[str, list[Run]] = {}
    with sample_api(rows) as large, sample_api(few) as small:
        for api in (large, small):
            api.warm(DAY.api_window())
        for _ in range(lab.times):
            for api in (large, small):
                with lab.postgres.database() as url:
                    load = partial(lab.load, "pipeline", api, DAY, url)
                    names = [f"{which} run, {api.rows:,} rows" for which in ("first", "second")]
                    for name, taken in interleaved(1, dict.fromkeys(names, load)).items():
                        runs.setdefault(name, []).extend(taken)
    first, second, _, second_of_few = runs
    figures = [
        Figure(
            f"second run of a day of {rows:,} ÷ first",
            ratio(runs, second, first, _wall), at_most=0.9,
        ),
        Figure(
            "- the same without Python's imports",
            ratio(runs, second, first, _work),
        ),
        Figure(
            "- WAL of the second run, per row",
            median(
                (run.wal - fixed.wal) / (rows - few)
                for run, fixed in zip(runs[second], runs[second_of_few], strict=True)
            ),
            at_most=10, unit=" B",
        ),
        Figure(
            "- with Dagster's own records of a run, whatever its rows",
            median(run.wal for run in runs[second]) / rows, unit=" B",
        ),
    ]  # fmt: skip
    return Outcome(figures, runs)


def dirty_day(lab: Lab) -> Outcome:
    """A day of which half is dirty, and a usual one of the same size."""
    rows = lab.rows // _PER_LARGE_DAY
    with sample_api(rows) as usual, sample_api(rows, dirty=0.5) as dirty:
        for api in (usual, dirty):
            api.warm(DAY.api_window())
        runs = interleaved(
            lab.times,
            {
                f"{share} dirty, {rows:,} rows": partial(lab.load_afresh, "pipeline", api, DAY)
                for share, api in (("3 %", usual), ("50 %", dirty))
            },
        )
    little, much = runs
    figures = [
        Figure(
            f"50 % dirty ÷ 3 % dirty, {rows:,} rows",
            ratio(runs, much, little, _wall), at_most=2.5,
        ),
        Figure(
            "- the same without Python's imports",
            ratio(runs, much, little, _work),
        ),
    ]  # fmt: skip
    return Outcome(figures, runs)

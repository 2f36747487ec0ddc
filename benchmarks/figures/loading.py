"""What a day costs PostgreSQL: in a table with years in it, a second time, and when it is dirty."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from statistics import median

from benchmarks.history import days_around, fill
from benchmarks.lab import DAY, TO_THE_TABLE, Lab, Run, interleaved, ratio
from benchmarks.results import Figure, Outcome
from benchmarks.servers import Api, sample_api
from grader_pipeline.partitions import SchoolDay

_DAYS_OF_HISTORY = 300
_PER_LARGE_DAY = 10
"""The day is so much smaller than the largest; a table of 300 of them is a table of 30,000,000."""


def large_table(lab: Lab) -> Outcome:
    """A day into a table of 300 such days, and into an empty one, without its reports.

    Each run takes a day that is new to the table: the days that follow its last one, as every
    morning does, and days left out in the midst of it, as when the past is loaded.
    """
    rows = lab.rows // _PER_LARGE_DAY
    past = days_around(DAY, before=_DAYS_OF_HISTORY + 2 * lab.times)
    midst = _DAYS_OF_HISTORY // 2
    gaps, newest = past[midst : midst + lab.times], past[-lab.times :]
    stored = [day for day in past if day not in gaps + newest]
    with lab.postgres.database() as url, sample_api(rows) as api:
        fill(url, stored, rows)
        runs: dict[str, list[Run]] = {}
        for where, days in (("newest", newest), ("amid", gaps)):
            for day in days:
                api.warm(day.api_window())
            taken = interleaved(
                lab.times,
                {
                    f"empty table, {where} day": _in_turn(lab, api, days),
                    f"{rows * len(stored):,} rows, {where} day": _in_turn(lab, api, days, url),
                },
            )
            runs |= taken
    figures = []
    for where in ("newest", "amid"):
        empty, full = (those for name, those in runs.items() if f"{where} day" in name)
        place = "after all others" if where == "newest" else "in the midst of them"
        figures += [
            Figure(
                f"a day of {rows:,} into {rows * len(stored):,} rows, {place} ÷ into none: "
                f"{what}",
                ratio([cost(run) for run in full], [cost(run) for run in empty]), at_most=1.2,
            )
            for what, cost in (
                ("CPU of PostgreSQL", attrgetter("postgres_cpu")), ("WAL", attrgetter("wal")),
            )
        ]  # fmt: skip
    return Outcome(figures, runs)


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
    first, second, _, second_of_few = runs.values()
    figures = [
        Figure(
            f"second run of a day of {rows:,} ÷ first",
            ratio([run.wall for run in second], [run.wall for run in first]), at_most=0.9,
        ),
        Figure(
            "- the same without Python's imports",
            ratio([run.work for run in second], [run.work for run in first]),
        ),
        Figure(
            "- WAL of the second run, per row",
            median(
                (run.wal - fixed.wal) / (rows - few)
                for run, fixed in zip(second, second_of_few, strict=True)
            ),
            at_most=10, unit=" B",
        ),
        Figure(
            "- with Dagster's own records of a run, whatever its rows",
            median(run.wal for run in second) / rows, unit=" B",
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
    little, much = runs.values()
    figures = [
        Figure(
            f"50 % dirty ÷ 3 % dirty, {rows:,} rows",
            ratio([run.wall for run in much], [run.wall for run in little]), at_most=2.5,
        ),
        Figure(
            "- the same without Python's imports",
            ratio([run.work for run in much], [run.work for run in little]),
        ),
    ]  # fmt: skip
    return Outcome(figures, runs)


def _in_turn(
    lab: Lab, api: Api, days: list[SchoolDay], url: str | None = None
) -> Callable[[], Run]:
    """Loads another of the days each time it is called."""
    left = iter(days)
    assets = ("--assets", *TO_THE_TABLE)

    def load() -> Run:
        day = next(left)
        if url is None:
            return lab.load_afresh("pipeline", api, day, *assets)
        return lab.load("pipeline", api, day, url, *assets)

    return load

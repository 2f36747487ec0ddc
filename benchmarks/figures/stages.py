"""What each stage of a day costs by the million elements, client and PostgreSQL together."""

from statistics import median
from typing import Any

from benchmarks.history import days_around
from benchmarks.lab import DAY, Lab, Run, asking, interleaved
from benchmarks.results import Figure, Outcome
from benchmarks.servers import sample_api
from grader_pipeline.asset_names import (
    ASSET_NAMES,
    GRADER_TABLE,
    METRICS,
    RAW_ATTEMPTS,
    SHEET_REPORT,
    VALIDATED_ATTEMPTS,
)

_MILLION = 1_000_000
_FEW, _FEW_DAYS = 1_000, 4  # of which the first warms up
_ALL, _TOLD = "API → tables, all", 0.05
_SPLITTING, _ROLLUP = "splitting", "rollup"
_STAGES = {
    "fetch": (RAW_ATTEMPTS, _SPLITTING),
    "splitting": (_SPLITTING, None),
    VALIDATED_ATTEMPTS: (VALIDATED_ATTEMPTS, None),
    "into grader": (GRADER_TABLE, _ROLLUP),
    "rollup": (_ROLLUP, None),
    "reports": (METRICS, None),
    SHEET_REPORT: (SHEET_REPORT, None),
}
"""What is measured, and what of it is another stage."""
_TO_THE_TABLES = ("fetch", "splitting", VALIDATED_ATTEMPTS, "into grader", "rollup")


def stages(lab: Lab) -> Outcome:
    """A large day beside one of few elements, whose cost is the same for all days."""
    days = [day.key for day in (DAY, *days_around(DAY, before=_FEW_DAYS))]
    with sample_api(lab.rows) as api, sample_api(_FEW) as few:
        api.warm(DAY.api_window())

        def run() -> Run:
            with lab.postgres.database() as url:
                given = {**asking(api, DAY), "BENCH_FEW": few.url}
                return lab.run("benchmarks.programs.stages", url, given, *days)

        runs = interleaved(lab.times, {f"stages, {lab.rows:,} rows": run})
    (taken,) = runs.values()
    costs = {stage: _by_the_million(taken, stage) for stage in _STAGES}
    costs[_ALL] = [sum(costs[stage][of] for stage in _TO_THE_TABLES) for of in (0, 1)]
    figures = []
    for stage, (client, server) in costs.items():
        name = f"CPU by the million elements: {stage}"
        figures.append(Figure(name, client + server, unit=" s"))
        if server >= _TOLD:
            figures.append(Figure("- of that PostgreSQL", server, unit=" s"))
    few = median(_total(run) for run in taken)
    figures.append(Figure(f"CPU of a day of {_FEW:,}, all stages", few, unit=" s"))
    return Outcome(figures, runs)


def _by_the_million(runs: list[Run], stage: str) -> list[float]:
    """CPU seconds of the client and of PostgreSQL."""

    def slope(run: Run, of: int) -> float:
        *few, many = run.said["days"][1:]
        base = median(_spent(day, stage, of) for day in few)
        elements = many["elements"] - median(day["elements"] for day in few)
        return float(_MILLION * (_spent(many, stage, of) - base) / elements)

    return [median(slope(run, of) for run in runs) for of in (0, 1)]


def _spent(day: dict[str, Any], stage: str, of: int) -> float:
    whole, other = _STAGES[stage]
    return float(day["stages"][whole][of] - (day["stages"][other][of] if other else 0))


def _total(run: Run) -> float:
    """CPU seconds of a day of few elements."""
    days = run.said["days"][1:-1]
    return median(sum(sum(day["stages"][asset]) for asset in ASSET_NAMES) for day in days)

"""A day from the API to the tables: beside the possible, the naive, and the tool one would pick."""

from functools import partial
from operator import attrgetter
from statistics import median

from benchmarks.lab import DAY, Lab, Run, interleaved, load_to_tables, ratio
from benchmarks.results import Figure, Outcome
from benchmarks.servers import sample_api

_MB = 1000 * 1000
SMALLER = 10
"""How much smaller the day is on which the slow ones are measured."""

LIMIT, TABLES, WHOLE, DLT, NAIVE = "limit", "pipeline to the tables", "pipeline", "dlt", "naive"

_wall, _work, _cpu, _work_cpu = map(attrgetter, ("wall", "work", "cpu", "work_cpu"))


def end_to_end(lab: Lab) -> Outcome:
    """A large day by the limit twin and by the pipeline; a smaller one by the others too."""
    few = lab.rows // SMALLER
    large = _measured(lab, lab.rows, LIMIT, TABLES, WHOLE)
    small = _measured(lab, few, LIMIT, TABLES, WHOLE, DLT, NAIVE)
    figures = [
        Figure(
            f"{lab.rows:,} rows, API → tables, without imports: wall ÷ limit twin",
            ratio(large, TABLES, LIMIT, _work), at_most=2.2,
        ),
        Figure("- the same in CPU", ratio(large, TABLES, LIMIT, _work_cpu)),
        Figure(
            f"{lab.rows:,} rows, the whole day with reports and sheet: wall ÷ limit twin",
            ratio(large, WHOLE, LIMIT, _wall), at_most=3,
        ),
        Figure("- the same in CPU", ratio(large, WHOLE, LIMIT, _cpu), at_most=2.8),
        Figure("- the same without Python's imports", ratio(large, WHOLE, LIMIT, _work)),
        *_steps(large[WHOLE]),
        Figure(
            "- seconds of Python's start and imports",
            median(run.wall - run.work for run in large[WHOLE]), unit=" s",
        ),
        Figure(
            f"{few:,} rows, API → tables, without imports: CPU of dlt ÷ pipeline",
            ratio(small, DLT, TABLES, _work_cpu), at_least=1.2,
        ),
        Figure("- the same as wall", ratio(small, DLT, TABLES, _work), at_least=1.2),
        Figure("- the same as wall, with Python's imports", ratio(small, DLT, TABLES, _wall)),
        Figure(
            f"{few:,} rows, without imports: wall of naive ÷ the whole day",
            ratio(small, NAIVE, WHOLE, _work), at_least=8,
        ),
        Figure("- with Python's imports", ratio(small, NAIVE, WHOLE, _wall)),
        Figure("- naive ÷ pipeline to the tables", ratio(small, NAIVE, TABLES, _work)),
        Figure("- naive ÷ limit twin", ratio(small, NAIVE, LIMIT, _work)),
        Figure(
            f"peak RSS of the pipeline, {lab.rows:,} rows",
            max(run.rss / _MB for run in large[WHOLE]), at_most=550, unit=" MB",
        ),
        Figure(
            f"- ÷ that at {few:,}",
            median(map(attrgetter("rss"), large[WHOLE]))
            / median(map(attrgetter("rss"), small[WHOLE])),
            at_most=1.2,
        ),
    ]  # fmt: skip
    runs = {f"{name}, {lab.rows:,} rows": runs for name, runs in large.items()}
    runs |= {f"{name}, {few:,} rows": runs for name, runs in small.items()}
    return Outcome(figures, runs)


def bare_load(lab: Lab) -> Outcome:
    """The same attempts by what loads them and does nothing else."""
    few = lab.rows // SMALLER
    runs = _measured(lab, few, TABLES, "pandas.to_sql", "polars + ADBC")
    _, *others = runs
    return Outcome(
        [
            Figure(f"{few:,} rows, API → tables, without imports: {what} of {name} ÷ pipeline",
                   ratio(runs, name, TABLES, cost))
            for name in others
            for what, cost in (("wall", _work), ("CPU", _work_cpu))
        ],
        {f"bare load, {name}, {few:,} rows": taken for name, taken in runs.items()},
    )  # fmt: skip


def _measured(lab: Lab, rows: int, *names: str) -> dict[str, list[Run]]:
    with sample_api(rows) as api:
        api.warm(DAY.api_window())
        programs = {
            LIMIT: partial(lab.load_afresh, "limit", api, DAY),
            TABLES: partial(load_to_tables, lab, api, DAY),
            WHOLE: partial(lab.load_afresh, "pipeline", api, DAY),
            DLT: partial(lab.load_afresh, "dlt_merge", api, DAY),
            NAIVE: partial(lab.load_afresh, "naive", api, DAY),
            "pandas.to_sql": partial(lab.load_afresh, "pandas_to_sql", api, DAY),
            "polars + ADBC": partial(lab.load_afresh, "polars_adbc", api, DAY),
        }
        runs = interleaved(lab.times, {name: programs[name] for name in names})
    # The naive twin loses some attempts. A floor that loads something else is no floor.
    same = [run.said for name, taken in runs.items() if name != NAIVE for run in taken]
    if len({(said["rows"], said["fingerprint"]) for said in same}) != 1:
        raise RuntimeError("The programs have loaded different attempts.")
    return runs


def _steps(runs: list[Run]) -> list[Figure]:
    """Where the pipeline's seconds go."""
    steps = [run.said["steps"] for run in runs]
    return [
        Figure(f"- seconds in {name}", median(each[name] for each in steps), unit=" s")
        for name in steps[0]
    ]

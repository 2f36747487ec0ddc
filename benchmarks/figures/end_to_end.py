"""A day from the API to the table: beside the possible, the naive, and the tool one would pick."""

from functools import partial
from statistics import median

from benchmarks.lab import DAY, TO_THE_TABLE, Lab, Run, interleaved, ratio
from benchmarks.results import Figure, Outcome
from benchmarks.servers import sample_api

_MB = 1000 * 1000
SMALLER = 10
"""How much smaller the day is on which the slow ones are measured."""


def end_to_end(lab: Lab) -> Outcome:
    """A large day by the limit twin and by the pipeline."""
    large = _measured(lab, lab.rows, "limit", "pipeline")
    _must_agree(large["limit"] + large["pipeline"])
    small = _measured(lab, lab.rows // SMALLER, "limit", "pipeline", "dlt_merge", "naive")
    figures = [
        Figure(
            f"end to end, {lab.rows:,} rows: pipeline ÷ limit twin",
            ratio(_walls(large["pipeline"]), _walls(large["limit"])), at_most=2.0,
        ),
        Figure(
            "- the same without Python's imports",
            ratio(_works(large["pipeline"]), _works(large["limit"])),
        ),
        Figure(
            "- of that, what brings the day into the tables, without reports and workbook",
            ratio([_to_the_table(run) for run in large["pipeline"]], _works(large["limit"])),
        ),
        *_steps(large["pipeline"]),
        Figure(
            f"naive ÷ pipeline, {lab.rows // SMALLER:,} rows",
            ratio(_walls(small["naive"]), _walls(small["pipeline"])), at_least=25,
        ),
        Figure(
            "- the same without Python's imports",
            ratio(_works(small["naive"]), _works(small["pipeline"])),
        ),
        Figure("- naive ÷ limit twin", ratio(_walls(small["naive"]), _walls(small["limit"]))),
        Figure(
            f"dlt ÷ pipeline, {lab.rows // SMALLER:,} rows",
            ratio(_walls(small["dlt_merge"]), _walls(small["pipeline"])), at_least=2,
        ),
        Figure(
            "- the same without Python's imports",
            ratio(_works(small["dlt_merge"]), _works(small["pipeline"])),
        ),
        Figure(
            f"peak RSS of the pipeline, {lab.rows:,} rows",
            max(_peaks(large["pipeline"])), at_most=550, unit=" MB",
        ),
        Figure(
            f"- ÷ that at {lab.rows // SMALLER:,}",
            ratio(_peaks(large["pipeline"]), _peaks(small["pipeline"])), at_most=1.2,
        ),
    ]  # fmt: skip
    runs = {f"{name}, {lab.rows:,} rows": runs for name, runs in large.items()}
    runs |= {f"{name}, {lab.rows // SMALLER:,} rows": runs for name, runs in small.items()}
    return Outcome(figures, runs)


def _measured(lab: Lab, rows: int, *programs: str) -> dict[str, list[Run]]:
    with sample_api(rows) as api:
        api.warm(DAY.api_window())
        return interleaved(
            lab.times, {name: partial(lab.load_afresh, name, api, DAY) for name in programs}
        )


def _must_agree(runs: list[Run]) -> None:
    """A floor that loads something else is no floor."""
    if len({(run.said["rows"], run.said["fingerprint"]) for run in runs}) != 1:
        raise RuntimeError("The limit twin and the pipeline have loaded different rows.")


def _walls(runs: list[Run]) -> list[float]:
    return [run.wall for run in runs]


def _works(runs: list[Run]) -> list[float]:
    return [run.work for run in runs]


def _to_the_table(run: Run) -> float:
    """Seconds of the assets that do what the twins do, and more: quarantine, ledger, rollups."""
    steps = _seconds(run)
    return sum(steps[name] for name in TO_THE_TABLE)


def _steps(runs: list[Run]) -> list[Figure]:
    """Where the pipeline's seconds go."""
    return [
        Figure(f"- seconds in {name}", median(_seconds(run)[name] for run in runs), unit=" s")
        for name in _seconds(runs[0])
    ]


def _seconds(run: Run) -> dict[str, float]:
    (day,) = run.said["runs"]
    return {name: float(seconds) for name, seconds in day["steps"].items()}


def _peaks(runs: list[Run]) -> list[float]:
    return [run.rss / _MB for run in runs]

"""Many days at once: from the API, and again from the stored answers."""

from statistics import median

from benchmarks.lab import DAY, Lab, Run, asking, interleaved
from benchmarks.results import Figure, Outcome
from benchmarks.servers import sample_api

_USUAL_ROWS = 6_000
_LATENCY = 1.0
_CONCURRENCY = 4
_TOLD = {
    "queued": "queued, until the daemon launched it",
    "starting": "starting, until its process began",
    "run": "running",
    "steps": "- of that in the assets' steps",
}


def backfill(lab: Lab) -> Outcome:
    """The days through the real daemon, an API that takes a second for each, four at a time."""
    with sample_api(_USUAL_ROWS, latency=_LATENCY) as api:

        def through_the_daemon() -> Run:
            with lab.postgres.database() as url:
                environment = {
                    **asking(api, DAY),
                    "GRADER_API_CONCURRENCY": str(_CONCURRENCY),
                    "GRADER_START_DATE": "2023-04-01",
                }
                return lab.run(
                    "benchmarks.programs.backfill", url, environment, DAY.key, str(lab.days)
                )

        name = f"backfill of {lab.days} days of {_USUAL_ROWS:,}, twice"
        runs = interleaved(lab.times, {name: through_the_daemon})
    fetched, stored = ([run.said[key] for run in runs[name]] for key in ("fetched", "stored"))
    floor = lab.days * _LATENCY / _CONCURRENCY
    figures = [
        Figure(
            f"backfill of {lab.days} days, latency {_LATENCY:g} s, concurrency {_CONCURRENCY}: "
            f"wall ÷ {floor:g} s",
            median(each["wall"] / floor for each in fetched), at_most=1.5,
        ),
        *_parts(fetched),
        Figure(
            f"{lab.days} stored days validated and loaded again: days per minute",
            median(60 * lab.days / each["wall"] for each in stored),
        ),
        *_parts(stored),
    ]  # fmt: skip
    return Outcome(figures, runs)


def _parts(backfills: list[dict[str, float]]) -> list[Figure]:
    return [
        Figure(f"- a run: {words}", median(each[key] for each in backfills), unit=" s")
        for key, words in _TOLD.items()
    ]

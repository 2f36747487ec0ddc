"""Usual days through the real daemon: many at once, again from the stored answers, and singly."""

from statistics import median
from typing import Any

from benchmarks.lab import DAY, Lab, Run, asking, interleaved
from benchmarks.results import Figure, Outcome
from benchmarks.servers import Api, sample_api

_USUAL_ROWS = 6_000
_LATENCY = 1.0
_CONCURRENCY = 4
_KB = 1000
_PARTS = {
    "queued": "queued, until the daemon launched it",
    "starting": "starting, until its process began",
    "run": "running",
    "steps": "- of that in the assets' steps",
}


def backfill(lab: Lab) -> Outcome:
    """The days with an API that takes a second for each, four at a time."""
    with sample_api(_USUAL_ROWS, latency=_LATENCY) as api:
        name = f"backfill of {lab.days} days of {_USUAL_ROWS:,}, twice"
        runs = interleaved(lab.times, {name: lambda: _through_the_daemon(lab, api, lab.days)})
    fetched, stored = ([run.said[key] for run in runs[name]] for key in ("fetched", "stored"))
    floor = lab.days * _LATENCY / _CONCURRENCY
    figures = [
        Figure(
            f"{lab.days} days, API {_LATENCY:g} s, concurrency {_CONCURRENCY}: "
            f"wall ÷ {floor:g} s",
            median(each["wall"] / floor for each in fetched), at_most=2,
        ),
        *_parts(fetched),
        Figure(
            f"{lab.days} stored days validated and loaded again: days a minute",
            median(60 * lab.days / each["wall"] for each in stored), at_least=180,
        ),
        *_parts(stored),
    ]  # fmt: skip
    return Outcome(figures, runs)


def usual_day(lab: Lab) -> Outcome:
    """Days one after the other, each in a process that is forked warm. The first is not counted."""
    count = lab.times + 1
    with sample_api(_USUAL_ROWS) as api:
        run = _through_the_daemon(lab, api, count, "--singly")
    days, again, later = (run.said[key][1:] for key in ("singly", "again", "later"))
    figures = [
        Figure(
            f"a usual day of {_USUAL_ROWS:,} in a warm process: CPU of the client",
            round(median(day["cpu"] for day in days), 3), at_most=0.6, unit=" s",
        ),
        Figure(
            "- its events in Dagster's log, as stored",
            median(day["events"] for day in days) / _KB, at_most=60, unit=" KB",
        ),
        Figure(
            "- all that Dagster's tables and their indexes grow by, a run",
            sum(day["records"] for day in days) / len(days) / _KB, unit=" KB",
        ),
        Figure(
            "- the run's overhead beyond its steps",
            median(day["run"] - day["steps"] for day in days), at_most=1, unit=" s",
        ),
        Figure("- its steps", median(day["steps"] for day in days), unit=" s"),
        *(
            Figure(
                f"- {what}, the same day again, with 1,000 earlier runs in Dagster ÷ without",
                median(day[cost] for day in later) / median(day[cost] for day in again),
            )
            for what, cost in (("CPU of the client", "cpu"), ("CPU of PostgreSQL", "server"))
        ),
    ]  # fmt: skip
    return Outcome(figures, {f"{count} days of {_USUAL_ROWS:,}, singly": [run]})


def _through_the_daemon(lab: Lab, api: Api, days: int, *more: str) -> Run:
    with lab.postgres.database() as url:
        environment = {
            **asking(api, DAY),
            "GRADER_API_CONCURRENCY": str(_CONCURRENCY),
            "GRADER_START_DATE": "2023-04-01",
        }
        program = "benchmarks.programs.backfill"
        return lab.run(program, url, environment, DAY.key, str(days), *more)


def _parts(backfills: list[dict[str, Any]]) -> list[Figure]:
    return [
        *(
            Figure(f"- a run: {words}", median(each[key] for each in backfills), unit=" s")
            for key, words in _PARTS.items()
        ),
        Figure("- a run: CPU of its process", median(each["cpu"] for each in backfills), unit=" s"),
    ]

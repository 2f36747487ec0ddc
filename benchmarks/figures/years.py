"""What a day and its reports cost when there are years in the table, and how that grows.

The table grows to 1, 5, 15 and 30 million attempts, if the day that is loaded has 100,000. Each
time its newest day's reports are computed, and those of the same day alone, in turn. Then some days
are loaded into it, and into an empty table, in turn. Each is new to the table and comes after all
others, as every morning does. At the end it gets days that were left out in the midst of it.
"""

import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from operator import attrgetter
from statistics import median

import numpy as np
import psycopg

from benchmarks.history import days_around, fill
from benchmarks.lab import DAY, Lab, Run, interleaved, load_to_tables, ratio
from benchmarks.results import Figure, Outcome
from benchmarks.servers import Api, sample_api
from grader_pipeline.local.embedded_postgres import bundled_program
from grader_pipeline.partitions import SchoolDay

_PER_LARGE_DAY = 10
_SIZES = (10, 50, 150, 300)
"""Days of history, 100,000 attempts each."""
_GAPS_AT, _REPORTS_AT, _LARGEST = 50, 150, 300
_TIMES_EACH = 4  # of which the first is not counted: it fills caches
_MILLION = 1_000_000

_EMPTY, _YEARS = "into none", "into years"
_COSTS = {"CPU of PostgreSQL": attrgetter("postgres_cpu"), "WAL": attrgetter("wal")}
_REPORTS = "reports, CPU ÷ one day's"


def years(lab: Lab) -> Outcome:
    """Load and reports at each size, and what a further million adds; the bytes of an attempt."""
    rows = lab.rows // _PER_LARGE_DAY
    days = iter(days_around(DAY, before=_SIZES[-1] + (len(_SIZES) + 1) * lab.times))
    runs: dict[str, list[Run]] = {}
    grown: dict[str, dict[int, float]] = defaultdict(dict)
    figures, gaps, stored = [], [], 0

    def loaded(into: list[SchoolDay], place: str) -> dict[str, list[Run]]:
        for day in into:
            api.warm(day.api_window())
        programs = {_EMPTY: _in_turn(lab, api, into), _YEARS: _in_turn(lab, api, into, url)}
        taken = interleaved(lab.times, programs)
        runs.update({f"{place} {name}": those for name, those in taken.items()})
        return taken

    with lab.postgres.database() as url, sample_api(rows) as api:
        for size in _SIZES:
            *past, newest = islice(days, size - stored)
            fill(url, past, rows)
            fill(url, [newest], rows, tended=False)
            at = f"at {size * rows:,} attempts,"
            taken = _reports(lab, url, newest, rows)
            runs |= {f"{at} reports of {name}": those for name, those in taken.items()}
            grown[_REPORTS][size] = ratio(taken, "years", "one day", _spent)
            taken = loaded(list(islice(days, lab.times)), f"{at} newest day")
            for what, cost in _COSTS.items():
                grown[f"load, {what} ÷ into none"][size] = ratio(taken, _YEARS, _EMPTY, cost)
            stored = size + lab.times
            if size == _GAPS_AT:
                gaps = list(islice(days, lab.times))
        amid = loaded(gaps, f"{at} day amid")
        sizes = list(_sizes(lab, api))
    figures = [
        Figure(
            f"reports of a day at {_REPORTS_AT * rows:,} attempts ÷ at one day of {rows:,}, CPU",
            grown[_REPORTS][_REPORTS_AT], at_most=3,
        ),
    ]  # fmt: skip
    for what, cost in _COSTS.items():
        name = f"a day of {rows:,} into {_LARGEST * rows:,}, %s ÷ into none: {what}"
        newest_ratio = grown[f"load, {what} ÷ into none"][_LARGEST]
        figures += [
            Figure(name % "after all others", newest_ratio, at_most=1.1),
            Figure(name % "in the midst", ratio(amid, _YEARS, _EMPTY, cost), at_most=1.1),
        ]
    return Outcome([*figures, *_slopes(grown, rows), *sizes], runs)


def _slopes(grown: dict[str, dict[int, float]], rows: int) -> Iterator[Figure]:
    """Each ratio at each size, and its growth by the million attempts."""
    for what, values in grown.items():
        for size, value in values.items():
            yield Figure(f"- {what}, at {size * rows:,} attempts", value)
        millions = [size * rows / _MILLION for size in values]
        slope = float(np.polyfit(millions, list(values.values()), 1)[0])
        yield Figure(f"- {what}, a further million", slope)


def _sizes(lab: Lab, api: Api) -> Iterator[Figure]:
    """Bytes of a day of the sample API, by the element of its answer."""
    api.warm(DAY.api_window())
    with lab.postgres.database() as url:
        empty = _database_size(url), _dump_size(url)
        run = load_to_tables(lab, api, DAY, url)
        full = _database_size(url), _dump_size(url)
        with psycopg.connect(url) as db:
            elements = (db.execute("SELECT received FROM grader_load").fetchone() or (0,))[0]
    sizes = {
        "in the database": full[0] - empty[0],
        "in a backup": full[1] - empty[1],
        **{f"in the file of {name}": size for name, size in run.said["files"].items()},
        "of the log of changes": run.wal,
    }
    for where, size in sizes.items():
        yield Figure(f"- an element of the sample, bytes {where}", size / elements, unit=" B")


def _reports(lab: Lab, url: str, day: SchoolDay, rows: int) -> dict[str, list[Run]]:
    """The reports of a day with all that came before it, and of the same day alone.

    The day is as every morning finds it: loaded, and not yet seen by the planner. Those of the day
    before have just been computed.
    """
    with lab.postgres.database() as alone:
        fill(alone, [day], rows, tended=False)
        given = ({}, day.key, str(_TIMES_EACH))
        return interleaved(
            lab.times,
            {
                name: partial(lab.run, "benchmarks.programs.reports", place, *given)
                for name, place in (("one day", alone), ("years", url))
            },
        )


def _spent(run: Run) -> float:
    return float(median(run.said["spent"][1:]))


def _in_turn(
    lab: Lab, api: Api, days: list[SchoolDay], url: str | None = None
) -> Callable[[], Run]:
    """Loads another of the days each time it is called.

    In the table of years, its reports are then computed, unmeasured, as every morning. They are the
    first to read the new rows, and PostgreSQL then writes whole pages to its log.
    """
    left = iter(days)

    def load() -> Run:
        day = next(left)
        run = load_to_tables(lab, api, day, url)
        if url is not None:
            lab.run("benchmarks.programs.reports", url, {}, day.key, "1")
        return run

    return load


def _database_size(url: str) -> int:
    with psycopg.connect(url) as db:
        return int((db.execute("SELECT pg_database_size(current_database())").fetchone() or [0])[0])


def _dump_size(url: str) -> int:
    """Bytes of what `pg_dump --format=custom` writes."""
    command = [str(bundled_program("pg_dump")), "--format=custom", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as dump:
        return sum(map(len, iter(partial(dump.stdout.read, _MILLION), b""))) if dump.stdout else 0

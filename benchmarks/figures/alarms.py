"""How often the report of broken tasks is wrong without a broken test, and what it finds.

The queries are the real ones, on a real PostgreSQL, day after day.
"""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import dict_row

from benchmarks.lab import Lab
from benchmarks.results import Figure, Outcome
from benchmarks.simulated_school import KINDS, Kind, Submits, simulate
from grader_pipeline.attempts.columns import COLUMNS
from grader_pipeline.partitions import window
from grader_pipeline.reports.report_files import read_report
from grader_pipeline.reports.rollups import roll_up
from grader_pipeline.statements import SQL, statement

_FIRST_DAY = dt.date(2024, 1, 1)
_SQL = Path(__file__).parents[1] / "sql"
_FELL = "резко упала доля решивших"
_LEARNERS, _BASE, _MOST_BROKEN = 20, (0.27, 0.33), 150


def broken_tasks(lab: Lab) -> Outcome:
    """False alarms of the former rule and of this one, and the broken tasks that are found."""
    figures = []
    for seed, kind in enumerate(KINDS):
        with lab.postgres.database() as url, psycopg.connect(url, row_factory=dict_row) as db:
            counts = _days_of(db, kind, seed)
        figures += [
            Figure(
                f"broken_tasks, {kind.name}: false alarms in 1,000 of {counts['eligible']:,} days "
                "of tasks",
                1000 * counts["alarms"] / counts["eligible"], at_most=5,
            ),
            Figure(
                f"- by the rule of 0.2.0, of {counts['formerly_eligible']:,}",
                1000 * counts["former_alarms"] / counts["formerly_eligible"],
            ),
            Figure(
                f"- found of {counts['broken']} broken tasks that 30 % of {_LEARNERS} learners had "
                "solved",
                100 * counts["found"] / counts["broken"], unit=" %",
            ),
        ]  # fmt: skip
    return Outcome(figures)


def _days_of(db: psycopg.Connection[Any], kind: Kind, seed: int) -> Counter[str]:
    """Compute each day of a school as the pipeline does, and count what the rules say."""
    school = simulate(kind, seed)
    columns = ", ".join(column.name for column in COLUMNS)
    with db.cursor().copy(f"COPY grader ({columns}) FROM STDIN") as copy:
        for attempt in school.attempts(window(_FIRST_DAY).start):
            copy.write_row(attempt)
    query = read_report(SQL / "reports" / "broken_tasks.sql").query
    to_break = _to_break(school, np.random.default_rng(seed))
    counts: Counter[str] = Counter()
    for number in range(int(school.day.max()) + 1):
        day = window(_FIRST_DAY + dt.timedelta(days=number))
        given = {**day.parameters, "report_date": day.date}

        def ask(
            text: str | bytes, given: dict[str, object] = given, **more: object
        ) -> list[dict[str, Any]]:
            return db.execute(text, {**given, **more}).fetchall()  # type: ignore[arg-type]

        roll_up(db, day)
        db.execute(statement("report_tables/prepare"), day.parameters)
        former = ask((_SQL / "former_broken_tasks.sql").read_bytes())[0]
        counts["formerly_eligible"] += former["eligible"]
        counts["former_alarms"] += former["alarms"]
        counts["eligible"] += ask((_SQL / "eligible_tasks.sql").read_bytes())[0]["eligible"]
        counts["alarms"] += sum(row["kind"] == _FELL for row in ask(query))
        for task in to_break.get(number, []):
            with db.transaction(force_rollback=True):
                db.execute((_SQL / "break_task.sql").read_bytes(), {**given, "task": task})
                counts["broken"] += 1
                counts["found"] += any(row["task"] == task for row in ask(query))
        db.commit()
    print(f"  {kind.name}: {len(school.day):,} submits, {dict(counts)}", flush=True)
    return counts


def _to_break(school: Submits, draw: np.random.Generator) -> dict[int, list[str]]:
    """Some tasks of each day: 20 learners or more come, and solve them with the base rate."""
    chances: dict[tuple[int, int], list[float]] = {}
    firsts = zip(school.day, school.task, school.chance, school.is_first, strict=True)
    for day, task, chance, is_first in firsts:
        if is_first:
            chances.setdefault((int(day), int(task)), []).append(float(chance))
    low, high = _BASE
    fit = [
        key for key, of_it in chances.items()
        if len(of_it) >= _LEARNERS and low <= np.mean(of_it[:_LEARNERS]) <= high
    ]  # fmt: skip
    found: dict[int, list[str]] = {}
    for at in sorted(draw.permutation(len(fit))[:_MOST_BROKEN]):
        day, task = fit[at]
        found.setdefault(day, []).append(f"{task:032x}")
    return found

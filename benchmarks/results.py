"""What was measured: numbers in docs/benchmarks.json, and tables of them in docs/benchmarks.md.

The prose of docs/benchmarks.md is written by hand; only what stands between its two marks is
replaced.
"""

import dataclasses
import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.lab import Run
from benchmarks.machine import machine

_DOCS = Path(__file__).parents[1] / "docs"
NUMBERS = _DOCS / "benchmarks.json"
PAGE = _DOCS / "benchmarks.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Figure:
    """One number. It has a reach, or none and is shown for its own sake."""

    what: str
    value: float
    at_most: float | None = None
    at_least: float | None = None
    unit: str = ""

    @property
    def reach(self) -> str:
        """Where it has to be."""
        if self.at_most is not None:
            return f"≤ {self.at_most:g}{self.unit}"
        return "" if self.at_least is None else f"≥ {self.at_least:g}{self.unit}"

    @property
    def met(self) -> str:
        """Whether it is there."""
        if self.at_most is not None:
            return "yes" if self.value <= self.at_most else "**no**"
        if self.at_least is not None:
            return "yes" if self.value >= self.at_least else "**no**"
        return ""


@dataclass
class Outcome:
    """What a question came to: its figures, and the runs behind them by what was run."""

    figures: list[Figure]
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def as_numbers(self) -> dict[str, Any]:
        """All of it, as JSON takes it."""
        return {
            "measured": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
            "figures": [dataclasses.asdict(figure) for figure in self.figures],
            "runs": {
                name: [dataclasses.asdict(run) for run in runs] for name, runs in self.runs.items()
            },
        }


def keep(name: str, outcome: Outcome) -> None:
    """Put an outcome in place of the last one of its name."""
    known = json.loads(NUMBERS.read_text()) if NUMBERS.exists() else {"outcomes": {}}
    known["machine"] = machine()
    known["outcomes"][name] = outcome.as_numbers()
    NUMBERS.write_text(json.dumps(known, indent=1) + "\n")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(known)}\n{END}{after}")


def tables(known: dict[str, Any]) -> str:
    """The machine, the figures and what was spent on them."""
    outcomes = [_outcome(numbers) for numbers in known["outcomes"].values()]
    lines = [f"{name}: {value}  " for name, value in known["machine"].items()]
    lines += ["", "| figure | reach | measured | met |", "|---|---|---|---|"]
    lines += [
        f"| {figure.what} | {figure.reach} | {figure.value:.3g}{figure.unit} | {figure.met} |"
        for outcome in outcomes
        for figure in outcome.figures
    ]
    lines += [
        "",
        "| run (medians) | n | wall s | without imports s | client CPU s | PostgreSQL CPU s "
        "| WAL MiB | peak RSS MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_line(name, runs) for outcome in outcomes for name, runs in outcome.runs.items()]
    return "\n".join(lines) + "\n"


def _outcome(numbers: dict[str, Any]) -> Outcome:
    return Outcome(
        [Figure(**figure) for figure in numbers["figures"]],
        {name: [Run(**run) for run in runs] for name, runs in numbers["runs"].items()},
    )


def _line(name: str, runs: list[Run]) -> str:
    spent = [
        (median(run.wall for run in runs), ".1f"),
        (median(run.said.get("work", run.wall) for run in runs), ".1f"),
        (median(run.client_cpu for run in runs), ".1f"),
        (median(run.postgres_cpu for run in runs), ".1f"),
        (median(run.wal for run in runs) / _MIB, ".1f"),
        (median(run.rss for run in runs) / _MIB, ".0f"),
    ]
    cells = " | ".join(format(value, style) for value, style in spent)
    return f"| {name} | {len(runs)} | {cells} |"

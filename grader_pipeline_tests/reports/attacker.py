"""A reader of one day's publication who wants to know about a small group.

The reader takes every additive figure that is shown, knows what each report is about, and takes a
merged line for all groups that are not shown by name. Each figure is a linear equation over what
cannot be divided further: the attempts of a kind on a task in an hour. A group is found out if its
figure is a combination of those that are shown, whatever the attempts are.

The attacker does not use that attempts are no less than 0, nor that learners are people: what
follows from a 0 in a group of five or more is not protected (docs/privacy.md).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grader_pipeline.reports.definition import OTHERS, Report

_PRIME = 2**31 - 1
KINDS = ("run", "success", "wrong")
ALL = frozenset(KINDS)
MEASURES = {
    "attempts": ALL,
    "runs": frozenset({"run"}),
    "submits": frozenset({"success", "wrong"}),
    "successes": frozenset({"success"}),
    "successful_submits": frozenset({"success"}),
    "wrong_submits": frozenset({"wrong"}),
}
"""Additive figures, and the kinds of attempts that they count. A new sum is added here."""

Atom = tuple[Any, ...]
Sum = Mapping[Atom, int]


class Attacker:
    """Equations that are known, reduced so that no two have the same first unknown."""

    def __init__(self, atoms: Iterable[Atom]) -> None:
        self._places = {atom: place for place, atom in enumerate(dict.fromkeys(atoms))}
        self._reduced: list[tuple[int, np.ndarray]] = []

    def learn(self, total: Sum) -> None:
        """The value of a sum of atoms is shown."""
        rest = self._rest(total)
        if rest.any():
            first = int(np.flatnonzero(rest)[0])
            self._reduced.append((first, rest * pow(int(rest[first]), -1, _PRIME) % _PRIME))

    def finds(self, total: Sum) -> bool:
        """Whether the value of a sum of atoms follows from what is known."""
        return not self._rest(total).any()

    def _rest(self, total: Sum) -> np.ndarray:
        vector = np.zeros(len(self._places), dtype=np.int64)
        for atom, factor in total.items():
            vector[self._places[atom]] = factor % _PRIME
        for first, row in self._reduced:
            if factor := int(vector[first]):
                vector = (vector - factor * row) % _PRIME
        return vector


def shown_names(
    report: Report, lines: Iterable[Mapping[str, Any]]
) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    """The lines of a report that have all its dimensions, by their parents."""
    dimensions = [name for name, column in report.columns.items() if column.kind == "dimension"]
    parents = report.columns[str(report.breakdown)].parents
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for line in lines:
        if all(line.get(name) is not None for name in dimensions):
            found.setdefault(tuple(line[name] for name in parents), []).append(line)
    return found


def names_behind(name: Any, all_names: Iterable[Any], named: Iterable[Any]) -> set[Any]:
    """The groups that a line is about: itself, or those that no other line names."""
    return set(all_names) - set(named) if name == OTHERS else {name}

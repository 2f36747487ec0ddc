"""Whoever has one day's publication finds out nothing about a group of fewer than five learners.

``attacker.py`` is the reader, ``small_schools.py`` makes the days, ``published.py`` reads back what
is shown.
"""

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader_pipeline import checks
from grader_pipeline.asset_names import VALIDATED_ATTEMPTS
from grader_pipeline.attempts.validation import validate
from grader_pipeline.mail import attention, courses, daily, weekly
from grader_pipeline.mail.letter import write
from grader_pipeline.mail.message import Links
from grader_pipeline.partitions import window
from grader_pipeline.reports import pictures, privacy
from grader_pipeline.reports.day_metrics import read_day
from grader_pipeline.reports.definition import OTHERS, Report
from grader_pipeline.reports.privacy import may_be_shown
from grader_pipeline.settings import Settings
from grader_pipeline.small_groups import LEAST_LEARNERS
from grader_pipeline_tests.reports.attacker import (
    ALL,
    MEASURES,
    Atom,
    Attacker,
    Sum,
    names_behind,
    shown_names,
)
from grader_pipeline_tests.reports.conftest import REPORTS, School
from grader_pipeline_tests.reports.published import Line, published
from grader_pipeline_tests.reports.small_schools import DAY, small_school
from grader_pipeline_tests.reports.twin import MOSCOW, Attempt

SEEDS = [range(first, first + 6) for first in range(0, 24, 6)]
UNREAD = "не распознан"
HOURS = range(24)
PLACES = ("course", "task", "hour")
"""The dimensions of an attempt. A report with others (a period, a state) counts learners only."""


class Day:
    """A day of a small school, what of it is published, and what follows from that."""

    def __init__(self, school: School, seed: int, folder: Path) -> None:
        school.forget()
        days = small_school(seed)
        for day, attempts in days.items():
            school.load(day, attempts)
            school.compute(day)
        self.attempts = days[DAY]
        self.stored = {name: school.rows(name, DAY) for name in REPORTS}
        self.media = published(school, DAY, folder)
        with school.postgres.transaction() as db:
            warnings = attention.of_day(attention.Shown(db, DAY), [])
            sheet = Links("sheet")
            messages = [daily.ready(read_day(db, DAY), warnings, [], sheet)]
            known = sorted({a.course for a in self.attempts if a.course})
            if seed % len(SEEDS[0]):
                known = []  # Mails are about the same lines every time.
            else:
                messages.append(weekly.weekly(db, DAY, [], sheet))
            messages += (courses.ready(db, DAY, [course], [], sheet) for course in known)
        letters = [write(message) for message in messages]
        texts = [letter.text + letter.html for letter in letters]
        self.mail = "".join(texts[: len(texts) - len(known)])
        self.course_mails = dict(zip(known, texts[len(texts) - len(known) :], strict=True))
        self.checks = list(_checks(self.attempts, folder))
        # The reader does not know which courses had attempts, nor whether some cannot be read.
        known = [a for attempts in days.values() for a in attempts if a.course and a.task]
        self.places = {(UNREAD, UNREAD), *((a.course, a.task) for a in known)}

    def lines(self, report: Report) -> list[dict[str, Any]]:
        """The lines of a report in all media, joined. A cell is the same wherever it is shown."""
        dimensions = [name for name, column in report.columns.items() if column.kind == "dimension"]
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for name, cells in (line for lines in self.media.values() for line in lines):
            if name == report.name:
                line = found.setdefault(tuple(map(cells.get, dimensions)), dict(cells))
                for column, cell in cells.items():
                    assert line.setdefault(column, cell) == cell, (name, column)
        return list(found.values())

    def sum(self, measure: frozenset[str], **where: set[Any]) -> Sum:
        """The attempts of these kinds, whose course, task and hour are among the given ones."""
        return {
            (kind, course, task, hour): 1
            for kind in measure
            for course, task in self.places
            for hour in HOURS
            if all(
                at in where.get(name, {at})
                for name, at in zip(PLACES, (course, task, hour), strict=True)
            )
        }

    def value(self, total: Sum) -> int:
        """What a sum of attempts really is."""
        return sum(total.get(_atom(a), 0) for a in self.attempts)

    def without_url(self, total: Sum) -> int:
        """How many of these attempts have no outcome URL."""
        return sum(total.get(_atom(a), 0) for a in self.attempts if a.url is None)


def _atom(a: Attempt) -> Atom:
    kind = "run" if a.verdict is None else "success" if a.verdict else "wrong"
    return kind, a.course or UNREAD, a.task or UNREAD, (a.at + MOSCOW).hour


def _checks(attempts: list[Attempt], folder: Path) -> Iterator[Any]:
    elements = [
        {
            "lti_user_id": a.user, "attempt_type": a.type, "is_correct": a.verdict,
            "created_at": f"{a.at:%Y-%m-%d %H:%M:%S.%f}",
            "passback_params": repr({"lis_result_sourcedid": a.sourcedid, "oauth_consumer_key": ""}
                                    | ({"lis_outcome_service_url": a.url} if a.url else {})),
        }
        for a in attempts
    ]  # fmt: skip
    tally = validate(io.BytesIO(json.dumps(elements).encode()), window(DAY), folder / "day.parquet")
    assert (tally.valid, tally.rejected) == (len(attempts), 0)
    yield from checks.results(
        VALIDATED_ATTEMPTS, checks.ValidatedDay(tally, window(DAY), [], Settings())
    )


def found_out(day: Day) -> set[tuple[str, str]]:
    """The small groups of which a figure follows from what is published: figure and group."""
    attacker = Attacker([*day.sum(ALL), *_learner_atoms(day), *_without_url(day)])
    for report in filter(may_be_shown, REPORTS.values()):
        if report.base:
            for total, value in _equations(day, report):
                assert value is None or value == day.value(total), report.name
                attacker.learn(total)
            for total in _learners_shown(day, report):
                attacker.learn(total)
    for total in _totals(day):
        attacker.learn(total)
    found = set()
    for group, where in _small_groups(day):
        for name, measure in MEASURES.items():
            if attacker.finds(day.sum(measure, **where)):
                found.add((name, group))
    for report in filter(may_be_shown, REPORTS.values()):
        for atom, learners in _learners_of(day, report):
            if 0 < learners < LEAST_LEARNERS and attacker.finds({atom: 1}):
                found.add((f"{report.name}.{report.base}", str(atom)))
    return found


def _equations(day: Day, report: Report) -> Iterator[tuple[Sum, float | None]]:
    """The sums that a report shows of the day."""
    sums = [name for name, column in report.columns.items() if column.kind == "sum"]
    dimensions = {name for name, column in report.columns.items() if column.kind == "dimension"}
    breakdown = str(report.breakdown)
    assert not sums or dimensions <= set(PLACES), report.name
    for parents, lines in shown_names(report, day.lines(report)).items():
        named = {line[breakdown] for line in lines} - {OTHERS}
        where = {
            name: {parent}
            for name, parent in zip(report.columns[breakdown].parents, parents, strict=True)
        }
        names = {cells[breakdown] for cells in day.stored[report.name]}
        for line in lines:
            behind = names_behind(line[breakdown], names, named)
            for column in sums:
                value = line.get(column)
                if value is not None:
                    yield day.sum(MEASURES[column], **where, **{breakdown: behind}), value


def _totals(day: Day) -> Iterator[Sum]:
    """The day's totals, and what the checks say of courses."""
    for metric in {row["metric"] for row in day.stored["daily_metrics"]} & MEASURES.keys():
        yield day.sum(MEASURES[metric])
    # A line with a text and no value, such as "less than 5 %", is no equation.
    health = {row["metric"] for row in day.stored["data_health"] if row["value"] is not None}
    if health & {"unread", "without_task", "without_task_share"}:
        yield day.sum(ALL, course={UNREAD})
    if "without_url_share" in health:
        yield _without_url(day)
    named = {
        check.check_name: repr(check.metadata) + str(check.description) for check in day.checks
    }
    large = {row["course"] for row in day.stored["courses"] if row["learners"] >= LEAST_LEARNERS}
    for course in {course for course, _ in day.places}:
        without, attempts = _without_url(day, course={course}), day.sum(ALL, course={course})
        said = [name for name, text in named.items() if course in text]
        if said == ["courses_have_outcome_urls"]:
            # It has no outcome URL at all.
            yield {**without, **dict.fromkeys(attempts, -1)}
        elif said:
            # The share without outcome URL is said.
            parts = [day.without_url(attempts), day.value(attempts)]
            yield {**dict.fromkeys(without, parts[1]), **dict.fromkeys(attempts, -parts[0])}
        elif course in large and course != UNREAD:
            yield without
    (unread,) = [c for c in day.checks if c.check_name == "courses_and_tasks_are_readable"]
    if unread.metadata:
        yield day.sum(ALL, course={UNREAD})
    for line in day.lines(REPORTS["courses"]):
        if line.get("without_url_share") is not None:
            yield _without_url(day, course={line["course"]})


def _without_url(day: Day, **where: set[Any]) -> Sum:
    return {("without url", *atom): 1 for atom in day.sum(ALL, **where)}


def _small_groups(day: Day) -> Iterator[tuple[str, dict[str, set[Any]]]]:
    """Courses, tasks and hours with one to four learners on the day."""
    groups: dict[str, set[str]] = defaultdict(set)
    where: dict[str, dict[str, set[Any]]] = {}
    for a in day.attempts:
        hour = (a.at + MOSCOW).hour
        course, task = a.course or UNREAD, a.task or UNREAD
        for group in ({"course": {course}}, {"course": {course}, "task": {task}}, {"hour": {hour}}):
            groups[str(group)].add(a.user)
            where[str(group)] = group
    for name, users in groups.items():
        if len(users) < LEAST_LEARNERS and (UNREAD not in name or _has_unread(day)):
            yield name, where[name]


def _has_unread(day: Day) -> bool:
    """Whether the attempts without readable course are a group of the report by course."""
    return any(row["course"] == UNREAD for row in day.stored["courses"])


def _learners_of(day: Day, report: Report) -> Iterator[tuple[Atom, int]]:
    """The groups of a report, and how many learners each has."""
    dimensions = [name for name, column in report.columns.items() if column.kind == "dimension"]
    for row in day.stored[report.name] if report.base else ():
        yield (report.name, *(_plain(row[name]) for name in dimensions)), int(row[report.base] or 0)


def _learner_atoms(day: Day) -> list[Atom]:
    return [atom for report in REPORTS.values() for atom, _ in _learners_of(day, report)]


def _learners_shown(day: Day, report: Report) -> Iterator[Sum]:
    """The counts of learners that a report shows, as if no learner were in two of its lines.

    So they can be added up, to the learners of the day or of the course. That is more than the
    reader knows.
    """
    base, breakdown = str(report.base), str(report.breakdown)
    dimensions = [name for name, column in report.columns.items() if column.kind == "dimension"]
    place = 1 + dimensions.index(breakdown)
    atoms = [atom for atom, _ in _learners_of(day, report)]
    for lines in shown_names(report, day.lines(report)).values():
        named = {line[breakdown] for line in lines} - {OTHERS}
        for line in lines:
            siblings = [
                atom for atom in atoms
                if all(atom[1 + n] == line[name] for n, name in enumerate(dimensions)
                       if name in report.columns[breakdown].parents)
            ]  # fmt: skip
            names = names_behind(line[breakdown], (atom[place] for atom in siblings), named)
            if line.get(base) is not None:
                yield {atom: 1 for atom in siblings if atom[place] in names}
            yield dict.fromkeys(siblings, 1)


def _plain(cell: Any) -> Any:
    return float(cell) if isinstance(cell, int) else cell


@pytest.fixture
def day(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Day]:
    # The page's pictures show the points that ``published`` reads.
    monkeypatch.setattr(pictures, "draw", lambda *_: None)
    return lambda seed: Day(school, seed, tmp_path)


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_no_figure_of_a_group_of_one_to_four_follows_from_what_is_published(
    day: Callable[[int], Day], seeds: range
) -> None:
    merged = 0
    for seed in seeds:
        found = day(seed)
        assert not found_out(found), seed
        lines = [line for medium in found.media.values() for line in medium]
        merged += sum(OTHERS in cells.values() for _, cells in lines)
        _names_nobody(found, lines)
    assert merged > len(seeds)


def _names_nobody(day: Day, lines: list[Line]) -> None:
    learners, named = {a.user for a in day.attempts}, {a.course for a in day.attempts if a.course}
    cells = {str(cell) for _, cells in lines for cell in cells.values()}
    assert not cells & learners
    assert not [user for user in learners if user in day.mail]
    assert not [course for course in named - cells if course in day.mail]
    for course, text in day.course_mails.items():
        assert not [other for other in named - {course} if other in text]
    for name, line in lines:
        base = REPORTS[name].base
        assert not base or not 0 < (line.get(base) or 0) < LEAST_LEARNERS
        # A total of the day names no group.
        assert base or not [c for c in named if c in str(line)]


def _all(report: Report, rows: Any, learners: Any) -> Any:
    names = ("report_date", *privacy._names_of(report))
    return [{name: row.get(name) for name in names} for row in rows]


def _left_out(report: Report, rows: Any, learners: Any) -> Any:
    """As before: small lines are missing, and nothing is merged."""
    large = [row for row in rows
             if not report.base or not 0 < (row[report.base] or 0) < LEAST_LEARNERS]  # fmt: skip
    return _all(report, large, learners)


@pytest.mark.parametrize("rule", [_all, _left_out])
def test_the_attacker_finds_small_groups_where_nothing_is_merged(
    day: Callable[[int], Day], monkeypatch: pytest.MonkeyPatch, rule: Any
) -> None:
    monkeypatch.setattr(privacy, "rows_to_show", rule)
    found = [found_out(day(seed)) for seed in SEEDS[1]]
    assert sum(map(bool, found)) > len(found) / 2
    assert any(name in MEASURES and "course" in group for each in found for name, group in each)

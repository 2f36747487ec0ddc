"""The names that readers give to courses and tasks, and which are shown in place of their ids.

Readers write them on the worksheet «Названия». A run stores what it finds there in the table
given_name, and the next run shows it. Course runs may share a name, and so may tasks of different
courses. Where a name would not tell two of them apart, it is followed by the run, or by the id.

The reports' tables have the ids: a renaming changes no figure.
"""

import datetime as dt
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from grader_pipeline.reports.course_runs import natural, parts, sortable_run
from grader_pipeline.reports.definition import OTHERS, Report, Row
from grader_pipeline.reports.privacy import read_shown
from grader_pipeline.resources.postgres import Connection
from grader_pipeline.small_groups import LEAST_LEARNERS
from grader_pipeline.statements import statement

LONGEST_NAME = 200
"""In characters. A longer name is not used."""

COURSE, TASK = "course", "task"
"""The dimensions of reports that are named."""

_UNREAD = "не распознан"
_RESERVED = {OTHERS, _UNREAD}
_MOST_SIGNS_OF_ID = 8
_MOST_FORMER = 5
_INVISIBLE = {"Cc", "Cf", "Cs"}

Key = tuple[str, str]
"""A course and a task of it. The task "" is the course itself."""


@dataclass(frozen=True)
class Names:
    """The names of courses and tasks, each told apart from the others."""

    given: Mapping[Key, str] = field(default_factory=dict)
    """As readers wrote them."""
    earlier: Mapping[Key, Sequence[str]] = field(default_factory=dict)
    """What was shown before, if not the id."""
    shown: Mapping[Key, str] = field(init=False)

    def __post_init__(self) -> None:
        by_course: dict[str, dict[Key, str]] = defaultdict(dict)
        for key, name in self.given.items():
            by_course[key[0] if key[1] else ""][key] = name
        shown = {k: v for siblings in by_course.values() for k, v in _told_apart(siblings).items()}
        object.__setattr__(self, "shown", shown)

    @property
    def formerly(self) -> dict[str, tuple[str, ...]]:
        """What is shown, each with what lines of the sheet may have instead: ids, earlier names.

        A text that two courses or tasks had, or that one has now, is left out.
        """
        now: dict[str, set[str]] = defaultdict(set)
        for key in {*self.given, *self.earlier}:
            for old in (key[1] or key[0], *self.earlier.get(key, ())):
                now[old].add(shown_name(self, key[0], key[1] or None))
        found: dict[str, tuple[str, ...]] = defaultdict(tuple)
        for old, texts in sorted(now.items()):
            if len(texts) == 1 and old not in self.shown.values() and (text := min(texts)) != old:
                found[text] += (old,)
        return dict(found)


def shown_name(names: Names, course: str, task: str | None = None) -> str:
    """What readers see of a course, or of a task of it: the name that it was given, else its id."""
    return names.shown.get((course, task or ""), task or course)


def read_names(db: Connection) -> Names:
    """Read the names that readers gave, but those that are a learner's ``user_id``."""
    rows = db.execute(statement("names/given")).fetchall()
    return Names(
        {(row["course"], row["task"]): row["name"] for row in rows if row["name"]},
        {(row["course"], row["task"]): row["former"] for row in rows},
    )


def read_named(
    db: Connection, report: Report, *, until: dt.date | None = None, days: int | None
) -> list[Row]:
    """The rows of ``read_shown`` with names in place of the ids of courses and tasks."""
    return with_names(report, read_shown(db, report, until=until, days=days), read_names(db))


def read_nameable(db: Connection) -> list[Row]:
    """Every course and task that at least five learners have tried.

    Rows have ``course``, ``task`` (None for the course itself) and ``name`` (None without one). A
    course is followed by its tasks. The order does not depend on names, so that a renaming moves no
    line.
    """
    rows = db.execute(statement("names/nameable"), {"least": LEAST_LEARNERS}).fetchall()
    rows.sort(key=lambda row: (*_course_order(Names(), row["course"]), row["task"]))
    return [{**row, "task": row["task"] or None} for row in rows]


def store_names(db: Connection, found: Iterable[Sequence[object]]) -> dict[str, str]:
    """Store what the worksheet has: course, task (or None) and name of each line.

    Gives why names are not used, by course or task. A name that is empty, or whose line is gone, is
    not stored any more.
    """
    lines = [
        (course, task or "", value) for course, task, value in found
        if isinstance(course, str) and isinstance(task, str | None)
    ]  # fmt: skip
    ids = {text for line in lines for text in line[:2] if text}
    names: dict[Key, str] = {}
    refused: dict[str, str] = {}
    for course, task, value in lines:
        if value is None:
            continue
        key = (course, task)
        name = clean_name(value)
        if name in ids:
            name, problem = None, "the id of a course or task"
        else:
            problem = f"no text of 1 to {LONGEST_NAME} characters"
        if name is None:
            refused[task or course] = problem
        else:
            names.setdefault(key, name)
    before, after = read_names(db), Names(names)
    for key in {*before.given, *names}:
        was, now = (shown_name(each, key[0], key[1] or None) for each in (before, after))
        if was == now and before.given.get(key) == names.get(key):
            continue
        former = [text for text in before.earlier.get(key, ()) if text not in {was, now}]
        former = [*former, was][-_MOST_FORMER:] if was not in {now, key[1] or key[0]} else former
        row = {"course": key[0], "task": key[1], "name": names.get(key), "former": former}
        db.execute(statement("names/store"), row)
    return refused


def clean_name(value: object) -> str | None:
    """A name as it is shown: one line without signs that cannot be seen; None if it is no name.

    A name is a text of 1 to LONGEST_NAME characters.
    """
    if not isinstance(value, str):
        return None
    spaced = " ".join(value.split())
    kept = "".join(sign for sign in spaced if unicodedata.category(sign) not in _INVISIBLE)
    name = unicodedata.normalize("NFC", kept).strip()
    return name if 0 < len(name) <= LONGEST_NAME else None


def with_names(report: Report, rows: Sequence[Row], names: Names) -> list[Row]:
    """The rows of ``rows_to_show`` with names in place of ids.

    If a day's rows are in the order of courses, or of courses and tasks, they are put in the order
    of their names, and the runs of a course in that of time.
    """
    dimensions = [
        name for name in (COURSE, TASK)
        if name in report.columns and report.columns[name].kind == "dimension"
    ]  # fmt: skip
    if dimensions[:1] != [COURSE]:
        return list(rows)
    named = [_named(row, dimensions, names) for row in rows]
    sorted_by = [
        n for n in dimensions if _are_in_order(rows, dimensions[: dimensions.index(n) + 1])
    ]
    if not sorted_by:
        return named

    course_order = cache(partial(_course_order, names))

    def order(pair: tuple[Row, Row]) -> tuple[Any, ...]:
        row = pair[0]
        place = (-row["report_date"].toordinal(), *course_order(row[COURSE]))
        return (*place, *_task_order(names, row)) if sorted_by == [COURSE, TASK] else place

    return [new for _, new in sorted(zip(rows, named, strict=True), key=order)]


def _named(row: Row, dimensions: Sequence[str], names: Names) -> Row:
    course = row[COURSE]
    found = {COURSE: shown_name(names, course)} if isinstance(course, str) else {}
    if TASK in dimensions and isinstance(course, str) and isinstance(row[TASK], str):
        found[TASK] = shown_name(names, course, row[TASK])
    return {**row, **found}


def _are_in_order(rows: Sequence[Row], dimensions: Sequence[str]) -> bool:
    """Whether each day's rows are in the order of these ids. Merged lines follow the others."""
    last: tuple[dt.date | None, list[str]] = (None, [])
    for row in rows:
        ids = [str(row[name]) for name in dimensions]
        if _RESERVED.intersection(ids):
            continue
        if row["report_date"] == last[0] and ids < last[1]:
            return False
        last = row["report_date"], ids
    return True


def _course_order(names: Names, course: str | None) -> tuple[Any, ...]:
    if course is None or course in _RESERVED:
        return (1 if course == _UNREAD else 2, [], [], "")
    name, run = parts(course)
    given = names.given.get((course, ""))
    return (0, natural(given or name), natural(sortable_run(run)), course)


def _task_order(names: Names, row: Row) -> tuple[Any, ...]:
    task = row[TASK]
    if task is None or task in _RESERVED:
        return (2, [])
    given = names.shown.get((str(row[COURSE]), task))
    return (0, natural(given)) if given else (1, [(1, 0, task)])


def _told_apart(names: Mapping[Key, str]) -> dict[Key, str]:
    """Names, followed by run or id where it needs them. Case makes no difference."""
    level = dict.fromkeys(names, 0)
    while True:
        shown = {key: _at_level(key, name, level[key]) for key, name in names.items()}
        count = Counter(text.casefold() for text in shown.values())
        alike = [
            key for key, text in shown.items()
            if level[key] < 2 and (count[text.casefold()] > 1 or text.casefold() in _RESERVED)  # noqa: PLR2004
        ]  # fmt: skip
        if not alike:
            return shown
        for key in alike:
            level[key] += 1


def _at_level(key: Key, name: str, level: int) -> str:
    course, task = key
    if level == 0:
        return name
    if level == 1 and not task:
        run = parts(course)[1]
        return f"{name}, {run}" if run else name
    if level == 1:
        return f"{name} (…{task[-_MOST_SIGNS_OF_ID:]})"
    return f"{name} ({task or course})"

"""A week of a sheet whose readers sort, filter, annotate, add totals, rename and delete at random.

Each remark names the line that it is beside, so that a row can be checked by itself.
"""

import datetime as dt
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Protocol

from grader_pipeline.sheet.cells import labels_of
from grader_pipeline.sheet.table import DAILY_COLUMNS, DATE, Chart, Column, Table

START = dt.date(2023, 5, 29)
SERIAL = (START - dt.date(1899, 12, 30)).days
MAIN, COURSES = "Лист1", "Курсы"
RENAMED = 4
"""The run that gives a line another label."""
REMARK = 5
"""The column of the readers' remarks, from 0."""

Rows = list[list[Any]]


class Sheet(Protocol):
    """A spreadsheet as its readers and the pipeline use it. Rows are counted from 0."""

    def show(self, tables: list[Table], days: set[dt.date] | None) -> None: ...
    def rows(self, title: str) -> Rows: ...
    def put(self, title: str, row: int, column: int, value: Any) -> None: ...
    def note(self, title: str, row: int, text: str) -> None: ...
    def insert(self, title: str, row: int) -> None: ...
    def delete(self, title: str, row: int) -> None: ...
    def sort(self, title: str, order: list[int]) -> None: ...
    def rename(self, title: str, new: str) -> None: ...
    def drop(self, title: str) -> None: ...
    def titles(self) -> list[str]: ...


def is_ours(row: list[Any]) -> bool:
    """Whether a row is a line of ours, by what it shows: the readers' own have no such label."""
    return isinstance(row[0], int) and str(row[1]).startswith(("Показатель", "Курс"))


@dataclass
class Week:
    """What the database has, and what readers have done."""

    sheet: Sheet
    random: random.Random
    now: dict[str, str] = field(default_factory=lambda: {MAIN: MAIN, COURSES: COURSES})
    """The titles that readers have given to our worksheets."""
    lines: dict[dt.date, dict[str, int]] = field(default_factory=dict)
    courses: dict[dt.date, dict[str, int]] = field(default_factory=dict)
    names: list[str] = field(default_factory=lambda: [f"Показатель {n}" for n in range(3)])
    formerly: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str, set[Any]] = field(default_factory=lambda: {MAIN: set(), COURSES: set()})
    remarks: dict[str, set[str]] = field(default_factory=lambda: {MAIN: set(), COURSES: set()})
    totals: dict[str, Counter[str]] = field(
        default_factory=lambda: {MAIN: Counter(), COURSES: Counter()}
    )
    count: int = 0
    newest: int = 2
    """How many days COURSES shows. If it is one, its lines go on to the next day."""

    def __post_init__(self) -> None:
        self.newest = self.random.choice([1, 2])

    def tables(self) -> list[Table]:
        """The daily table of all days, and one that shows its newest days."""
        days = sorted(self.lines, reverse=True)
        main = Table(
            DAILY_COLUMNS,
            tuple((day, label, n) for day in days for label, n in self.lines[day].items()),
            formerly=self.formerly, days=frozenset(days),
            labels=frozenset(self.labels[MAIN]),
        )  # fmt: skip
        of_courses = [(d, *item) for d in days[: self.newest] for item in self.courses[d].items()]
        courses = Table(
            (DATE, Column("Курс", 100), Column("Юзеров", 100), Column("Попыток", 100)),
            tuple((*line, None) for line in of_courses),
            worksheet=COURSES, keeps_days=False, chart=Chart("x", "bar", 1, (2,)),
            labels=frozenset(self.labels[COURSES]),
            named_by=(0, 1) if self.newest > 1 else (1,),
        )  # fmt: skip
        self.labels[MAIN] |= labels_of(main)
        self.labels[COURSES] |= labels_of(courses)
        return [main, courses]

    def run(self, number: int) -> None:
        """A new day, perhaps a corrected or a late one, and the write."""
        days = [START + dt.timedelta(days=number)]
        if number and self.random.random() < 0.3:
            days.append(START + dt.timedelta(days=self.random.randrange(number)))
        if self.random.random() < 0.2:
            days.append(START - dt.timedelta(days=self.random.randrange(1, 5)))
        for day in days:
            of = self.random.randrange(100)
            self.lines[day] = {label: of + n for n, label in enumerate(self.names)}
            courses = self.random.sample("ABCD", self.random.randrange(1, 4))
            self.courses[day] = {f"Курс {name}": of + 5 for name in sorted(courses)}
        if number == RENAMED:
            old, new = self.names[1], "Показатель один"
            self.names[1], self.formerly = new, {new: (old,)}
            for lines in self.lines.values():
                lines[new] = lines.pop(old)
            days = list(self.lines)
        self.sheet.show(self.tables(), set(days) if self.random.random() < 0.7 else None)

    def readers(self) -> None:
        """Some things that readers do between two runs."""
        deeds = [self.remark] * 4 + [self.sort, self.total, self.total, self.delete, self.rename]
        if self.random.random() < 0.05:
            self.drop()
        for deed in self.random.sample(deeds, self.random.randrange(1, 6)):
            deed(self.random.choice([MAIN, COURSES]))

    def remark(self, of: str) -> None:
        title, rows = self.now[of], self.sheet.rows(self.now[of])
        free = [row for row, line in enumerate(rows) if is_ours(line) and not line[REMARK]]
        if not free:
            return
        row = self.random.choice(free)
        self.count += 1
        text = f"{self.count}|{rows[row][0]}|{rows[row][1]}"
        self.remarks[of].add(text)
        self.sheet.put(title, row, REMARK, text)
        if self.random.random() < 0.3:
            self.sheet.note(title, row, text)

    def sort(self, of: str) -> None:
        """Sort the lines below the header, whole rows, as a filter does."""
        rows = self.sheet.rows(self.now[of])
        header = self._header(rows)
        by = self.random.choice([0, 1, 2])
        places = list(range(header + 1, len(rows)))
        places.sort(key=lambda row: (str(type(rows[row][by])), str(rows[row][by])),
                    reverse=self.random.random() < 0.5)  # fmt: skip
        self.sheet.sort(self.now[of], [*range(header + 1), *places])

    def total(self, of: str) -> None:
        """A line of the readers' own: above the header, between ours, or below."""
        title, rows = self.now[of], self.sheet.rows(self.now[of])
        self.count += 1
        row = self.random.choice([0, len(rows), self.random.randrange(len(rows) + 1)])
        text = f"Итого {self.count}"
        self.sheet.insert(title, row)
        day = self.random.random() < 0.3 and row > self._header(rows)
        self.sheet.put(title, row, 0, SERIAL if day else text)
        self.sheet.put(title, row, 1, text)
        self.totals[of][text] += 1

    def delete(self, of: str) -> None:
        """Delete a row of ours, or one of the readers', but not the header."""
        title, rows = self.now[of], self.sheet.rows(self.now[of])
        some = [row for row in range(len(rows)) if row != self._header(rows)]
        if len(some) < 2:
            return
        row = self.random.choice(some)
        self.remarks[of].discard(rows[row][REMARK])
        self.totals[of] -= Counter([str(rows[row][1])])
        self.sheet.delete(title, row)

    def rename(self, of: str) -> None:
        self.count += 1
        new = f"Вкладка {self.count}"
        self.sheet.rename(self.now[of], new)
        self.now[of] = new

    def drop(self) -> None:
        """Delete a worksheet. The next run makes it again."""
        self.sheet.drop(self.now[COURSES])
        self.now[COURSES] = COURSES
        self.remarks[COURSES].clear()
        self.totals[COURSES].clear()
        self.sheet.show(self.tables(), None)

    def _header(self, rows: Rows) -> int:
        return next(row for row, line in enumerate(rows) if line[0] == DATE.label)

    def check(self) -> None:
        """Remarks are beside their lines, no line is there twice, none of ours is missing."""
        assert sorted(self.sheet.titles()) == sorted(self.now.values())
        days = sorted(self.lines, reverse=True)
        newest = {day: self.courses[day] for day in days[: self.newest]}
        for of, wanted in ((MAIN, self.lines), (COURSES, newest)):
            rows = self.sheet.rows(self.now[of])
            ours = [row for row in rows if is_ours(row)]
            moves = of == COURSES and self.newest == 1
            keys = Counter((None if moves else row[0], row[1]) for row in ours)
            assert max(keys.values()) == 1, "a line is there twice"
            shown = {(row[0], row[1]): row[2] for row in ours}
            for day, lines in wanted.items():
                for label, value in lines.items():
                    number = (day - dt.date(1899, 12, 30)).days
                    assert shown.pop((number, label)) == value
            beside = {row[REMARK]: row for row in rows if row[REMARK]}
            assert set(beside) == self.remarks[of], "remarks are gone"
            for text, row in beside.items():
                _, day, label = text.split("|")
                now = next((n for n, olds in self.formerly.items() if label in olds), label)
                assert row[1] in {now, label}
                assert moves or str(row[0]) == day
            if of == COURSES:
                # A line that has left is there only for what readers have beside it.
                assert all(keys for keys in shown)
                assert set(shown) <= {(row[0], row[1]) for row in beside.values()}
            assert (
                Counter(str(row[1]) for row in rows if str(row[1]).startswith("Итого"))
                == (self.totals[of])
            )

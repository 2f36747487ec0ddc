"""What one mail says, whatever its form.

A :class:`Message` holds texts as readers see them, in Russian and without markup. ``letter`` makes
HTML and plain text of it, ``channels`` the short form. No message names a learner, and what it says
of a group is what ``reports/privacy.py`` lets out.
"""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["up", "down", "same"]


@dataclass(frozen=True)
class Figure:
    """A figure that is shown large."""

    label: str
    value: str
    """With its unit: ``2 513``, ``57,9 %``."""
    change: str = ""
    """An arrow, how much, and against which day: ``▲ 313 (14,2 %)`` and the day. Empty: unknown."""
    direction: Direction | None = None
    """Of the change. None: there is none."""


@dataclass(frozen=True)
class Table:
    """A small table. The first column is text, the others are values.

    A row of one cell is a heading of those below.
    """

    head: tuple[str, ...]
    """Empty: the table has no head."""
    rows: tuple[tuple[str, ...], ...]
    is_wide: bool = False
    """The first cell of a row is long: it has a line of its own, above the others."""

    def lines(self) -> list[str]:
        """The rows as text: ``name: before 2, now 3``."""
        heads = [f"{head.lower()} " if head else "" for head in self.head]
        heads = heads or [""] * max(map(len, self.rows), default=0)
        return [
            f"{row[0]}: {', '.join(map(''.join, zip(heads[1:], row[1:], strict=True)))}"
            if len(row) > 1
            else row[0]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Part:
    """A part of a mail under a heading of its own."""

    title: str
    lines: tuple[str, ...] = ()
    """Sentences."""
    table: Table | None = None
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A picture, and what somebody reads who does not see it."""

    png: bytes
    text: str


@dataclass(frozen=True)
class Link:
    """Where something is. Without ``url`` it is a file on the machine of the pipeline."""

    text: str
    url: str | None = None


@dataclass(frozen=True)
class Message:
    """What one mail says, in the order in which it is read."""

    subject: str
    preheader: str
    """What a list of mails shows beside the subject."""
    greeting: str
    """Empty: the mail begins with the sentence."""
    sentence: str
    """What happened, in one sentence."""
    link: Link | None = None
    """The sheet."""
    figures: tuple[Figure, ...] = ()
    """Three to five, or none."""
    picture: Picture | None = None
    warnings: tuple[str, ...] = ()
    """What to look at: a sentence each, the most important one first."""
    parts: tuple[Part, ...] = ()
    """The rest, in short."""
    notes: tuple[str, ...] = ()
    """Sentences in small print."""
    technical: tuple[str, ...] = ()
    """Texts in English, set apart. Only owners get messages that have them."""
    run_url: str | None = None
    """The page of the run or backfill in Dagster's UI."""


@dataclass(frozen=True)
class Links:
    """Where a mail leads: the sheet's name and, if it has one, address; the run's page.

    The name of a workbook is its path.
    """

    sheet_name: str
    sheet_url: str | None = None
    run_url: str | None = None

    @property
    def sheet(self) -> Link:
        """The sheet."""
        return Link(self.sheet_name, self.sheet_url)

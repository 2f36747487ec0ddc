"""The tables without a forgotten learner, beside what belongs to the days' files.

A statement finds the rows that may name the learner by a part of the id that each spelling of it
has. ``ForgottenLearners`` decides.
"""

import datetime as dt
import email
import email.policy
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterator
from typing import Any

from psycopg import sql

from grader_pipeline.asset_names import DAILY_METRICS
from grader_pipeline.attempts.forgotten import SHORTEST, ForgottenLearners
from grader_pipeline.learners.files import refuse
from grader_pipeline.resources.connections import Connection
from grader_pipeline.resources.migrations import relations
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

_AT_ONCE = 10_000

_DONE = {"grader", "grader_rejected", "learner", "task", "mail_outbox"}
"""Tables with texts that other functions of this module clean."""


def delete_attempts(
    db: Connection, learner: str, forgotten: ForgottenLearners, placed: Container[dt.date]
) -> Counter[dt.date]:
    """Delete the attempts that are left; give their numbers by day.

    The ledger of a day that is not ``placed``, so without the answer of its last load, counts its
    elements without them. Deleting marks the days as changed.
    """
    about = {"part": _part(learner), "timezone": Settings().grader_timezone}
    days: Counter[dt.date] = Counter()
    theirs = []
    for row in _stream(db, "candidates", about):
        date, number = row.pop("report_date"), row.pop("id")
        if any(forgotten.names(text) for text in row.values() if text):
            days[date] += 1
            theirs.append(number)
    for start in range(0, len(theirs), _AT_ONCE):
        ids = theirs[start : start + _AT_ONCE]
        db.execute(statement("learners/delete_attempts"), {"ids": ids})
    for date, attempts in days.items():
        if date not in placed:
            unplaced = {"day": date, "attempts": attempts, "differing": 0}
            db.execute(statement("learners/forget_unplaced"), unplaced)
            db.execute(statement("learners/bound_differing"), unplaced)
    return days


def refuse_rejected(db: Connection, learner: str, forgotten: ForgottenLearners) -> Counter[dt.date]:
    """Take the text of their elements out of quarantine; give the numbers of elements by day."""
    positions = defaultdict(list)
    for row in _stream(db, "rejected_candidates", {"part": _part(learner)}):
        if forgotten.owns(row["row"].encode()):
            positions[row["report_date"]].append(row["position"])
    for date, found in positions.items():
        refuse(db, {"day": date}, found)
    return Counter({date: len(found) for date, found in positions.items()})


def delete_numbers(db: Connection, learner: str, forgotten: ForgottenLearners) -> int:
    """Delete the learner, tasks whose names have the id, and their rollups; give the rows."""
    numbers: dict[str, list[int]] = {"learner": [], "task": []}
    for row in _stream(db, "numbered", {"part": _part(learner)}):
        if any(map(forgotten.names, row["texts"])):
            numbers[row["kind"]].append(row["id"])
    # Other days wait from here on.
    db.execute(statement("load/lock_rollups"))
    found = {"learners": numbers["learner"], "tasks": numbers["task"]}
    db.execute(statement("learners/forget_numbers"), found)
    return sum(map(len, numbers.values()))


def clean_texts(db: Connection, learner: str, forgotten: ForgottenLearners) -> int:
    """Clean all other tables: delete the rows of reports that name the learner.

    Of other rows the id is taken out of the text. Gives the number of rows.
    """
    columns = defaultdict(list)
    for row in db.execute(statement("learners/text_columns")).fetchall():
        columns[row["table"]].append(row["column"])
    ours = set(relations()) - {DAILY_METRICS}
    return sum(
        _clean(db, learner, forgotten, table, names, is_report=table not in ours)
        for table, names in columns.items()
        if table not in _DONE
    )


def _clean(
    db: Connection,
    learner: str,
    forgotten: ForgottenLearners,
    table: str,
    columns: list[str],
    *,
    is_report: bool,
) -> int:
    name = sql.Identifier(table)
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("SELECT ctid::text AS row, {} FROM {} WHERE strpos(concat_ws(' ', {}), %s) > 0")
    found = db.execute(query.format(listed, name, listed), [_part(learner)]).fetchall()
    rows = [
        row.pop("row") for row in found
        if any(forgotten.names(row[column]) for column in columns if row[column])
    ]  # fmt: skip
    if is_report or table == "excluded_learner":
        text = sql.SQL("DELETE FROM {} WHERE ctid = ANY (%s::tid[])").format(name)
        db.execute(text, [rows])
    elif len(learner) >= SHORTEST:
        changes = sql.SQL(", ").join(
            sql.SQL("{0} = replace({0}, %(learner)s, '***')").format(sql.Identifier(column))
            for column in columns
        )
        text = sql.SQL("UPDATE {} SET {} WHERE ctid = ANY (%(rows)s::tid[])").format(name, changes)
        db.execute(text, {"learner": learner, "rows": rows})
    return len(rows)


def empty_mails(db: Connection, forgotten: ForgottenLearners) -> int:
    """Take mails that name the learner out of the outbox; give their number."""
    named = [
        mail["key"]
        for mail in _stream(db, "mails", {})
        if any(map(forgotten.names, _texts_of(mail)))
    ]
    for key in named:
        db.execute(statement("learners/empty_mail"), {"key": key})
    return len(named)


def _texts_of(mail: dict[str, Any]) -> Iterator[str]:
    yield mail["subject"]
    message = email.message_from_bytes(bytes(mail["message"]), policy=email.policy.default)
    yield from (str(value) for value in message.values())
    for part in message.walk():
        if part.get_content_maintype() == "text":
            yield part.get_content()


def _stream(db: Connection, name: str, about: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with db.cursor(f"learners_{name}") as rows:
        rows.itersize = _AT_ONCE
        yield from rows.execute(statement(f"learners/{name}"), about)


def _part(learner: str) -> str:
    """The longest run of letters and digits of ASCII in an id: no spelling changes it."""
    return max(re.findall("[A-Za-z0-9]+", learner), key=len, default="")

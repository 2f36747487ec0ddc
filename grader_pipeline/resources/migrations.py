"""The schema of the database: numbered migrations that only go forward.

``sql/schema/NNN_name.sql`` is one migration. A session applies those above the database's number,
all in one transaction, which first takes over a table ``grader`` of the original script
(``original_table.py``). A database above the code's number belongs to a newer release: the code
uses it as it is. So an old and a new process side by side do not undo each other's changes. How to
write one: "Write a migration" in CONTRIBUTING.md.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.resources import original_table
from grader_pipeline.resources.connections import Connection, cause
from grader_pipeline.resources.table_differences import Difference
from grader_pipeline.statements import files, statement

log = logging.getLogger(__name__)

_FILE = re.compile(r"(\d{3,9})_\w+\.sql")
_CHANGE = re.compile(
    r"^ *(CREATE|DROP) (?:OR REPLACE )?(?:TABLE|VIEW) (?:IF (?:NOT )?EXISTS )?"
    r"(\w+(?:, *\w+)*)\s*(?:\(|;|AS\b|CASCADE\b)",
    re.MULTILINE,
)
_RENAME = re.compile(r"^ *ALTER TABLE (\w+) RENAME TO (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Migration:
    """One file of ``sql/schema``."""

    number: int
    file: str
    sql: str


def read_migrations(paths: Iterable[Path]) -> tuple[Migration, ...]:
    """The migrations in these files, by number.

    Raises PermanentFailure for a file without a number, and for two with the same.
    """
    found: dict[int, Migration] = {}
    for path in paths:
        if not (match := _FILE.fullmatch(path.name)):
            raise PermanentFailure(
                f"sql/schema/{path.name} has no number. Name it NNN_name.sql, NNN being the next "
                "free number of at least three digits."
            )
        migration = Migration(int(match[1]), path.name, path.read_text(encoding="utf-8"))
        other = found.setdefault(migration.number, migration)
        if other is not migration:
            raise PermanentFailure(
                f"sql/schema/{other.file} and sql/schema/{path.name} have the same number. Give "
                "the newer one the next free number."
            )
    return tuple(found[number] for number in sorted(found))


@cache
def migrations() -> tuple[Migration, ...]:
    """The migrations of this code. Raises like :func:`read_migrations`."""
    return read_migrations(files("schema"))


def relations(known: Sequence[Migration] = ()) -> dict[str, Migration]:
    """The tables and views that there are after the last migration, and what named each so."""
    found: dict[str, Migration] = {}
    for migration in known or migrations():
        for old, new in _RENAME.findall(migration.sql):
            del found[old]
            found[new] = migration
        for change, names in _CHANGE.findall(migration.sql):
            for name in re.split(", *", names):
                found.pop(name, None)
                if change == "CREATE":
                    found[name] = migration
    return found


def migrate(connection: Connection, known: Sequence[Migration] = ()) -> None:
    """Apply the migrations above the database's number; with none, this is one cheap read.

    ``known`` are the migrations of this code. ``connection`` is in autocommit mode.

    Raises PermanentFailure if the role may not apply them, if one fails or somebody has to change
    the table ``grader`` first (none of them is applied then), and if the database lacks a table or
    view that it should have by its number.
    """
    known = known or migrations()
    last = known[-1].number
    wanted = relations(known)
    number, missing = _state(connection, wanted)
    if number < last:
        with connection.transaction():
            connection.execute(statement("session/lock_schema"))
            _apply_pending(connection, known)
        number, missing = _state(connection, wanted)
    if number > last:
        _say_newer(number, last)
    elif missing:
        lacking = ", ".join(f"{name} (sql/schema/{wanted[name].file})" for name in missing)
        raise PermanentFailure(
            f"The database lacks {lacking}, though its schema has number {number}: somebody "
            "dropped or renamed it. Restore it from a backup, or create it anew with the statement "
            "in the file named; a table is empty then."
        )


def pending(db: Connection, known: Sequence[Migration] = ()) -> list[Migration]:
    """The migrations that the next session applies. Changes nothing."""
    number, _ = _state(db, ())
    return [migration for migration in known or migrations() if migration.number > number]


def grader_differences(db: Connection, known: Sequence[Migration] = ()) -> list[Difference]:
    """How the table ``grader`` differs from that of its schema number, and the SQL that mends it.

    With migrations pending, these are the differences that the next session has to take over.
    Changes nothing.
    """
    known = known or migrations()
    with db.transaction(force_rollback=True):
        number, _ = _state(db, ())
    schema, is_first = _grader_schema(number, known)
    newer = number > known[-1].number
    with db.transaction():
        return original_table.look(db, schema, is_first=is_first, is_newer=newer)


def schema_differences(db: Connection, known: Sequence[Migration] = ()) -> list[str]:
    """How the live tables, views and functions differ from those of ``sql/schema``, a line each.

    The migrations are applied to the session's temporary schema, which is compared and undone. What
    a database of a newer release has besides is no difference.
    """
    known = known or migrations()
    described = statement("checks/described_columns")
    live = db.execute(described, {"temporary": False}).fetchall()
    with db.transaction(force_rollback=True):
        db.execute(statement("checks/use_temporary_schema"))
        for migration in known:
            db.execute(migration.sql.encode())
        wanted = db.execute(described, {"temporary": True}).fetchall()
    names = {row["name"] for row in wanted}
    has = {row["line"] for row in live if row["name"] in names}
    needs = {row["line"] for row in wanted}
    lacks = [f"lacks {line}" for line in sorted(needs - has)]
    if _state(db, ())[0] > known[-1].number:
        return lacks
    return lacks + [f"has besides {line}" for line in sorted(has - needs)]


def new_schema_differences(db: Connection) -> list[str]:
    """The same, but a schema that had none is remembered, and compared once it has changed.

    For a run: to describe the live schema takes 3 ms of CPU, to make another one 50 more.
    """
    live = db.execute(statement("checks/described_columns"), {"temporary": False}).fetchall()
    lines = [*sorted(row["line"] for row in live), *(known.sql for known in migrations())]
    found = {"sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}
    if db.execute(statement("session/is_compared_schema"), found).rowcount:
        return []
    if not (differences := schema_differences(db)):
        db.execute(statement("session/note_compared_schema"), found)
    return differences


def advice(db: Connection, differences: Sequence[str]) -> str:
    """Say how the database differs from sql/schema, and how to mend it.

    ``differences`` are those of :func:`schema_differences`.
    """
    said = f"The database differs from sql/schema: it {'; '.join(differences)}."
    if of_grader := grader_differences(db):
        return f"{said} {original_table.refusal(of_grader)}"
    return f"{said} Run the statements of sql/schema that make what it lacks, and remove the rest."


def _state(db: Connection, wanted: Iterable[str]) -> tuple[int, list[str]]:
    """The database's number (0 for one without migrations), and the relations that it lacks."""
    try:
        given = {"relations": list(wanted)}
        found = db.execute(statement("session/schema_state"), given).fetchone()
    except psycopg.errors.UndefinedTable:
        return 0, []
    except psycopg.errors.InsufficientPrivilege as error:
        raise PermanentFailure(
            f"The role of DATABASE_URL may not read the table schema_migration ({cause(error)}). "
            "Grant it SELECT on it, as on the other tables."
        ) from None
    return (found["number"], found["missing"]) if found else (0, [])


def _apply_pending(db: Connection, known: Sequence[Migration]) -> None:
    # Another session may have applied them while this one waited for the lock. The savepoint is
    # for a database without the table: what failed is undone, and the transaction goes on.
    with db.transaction(force_rollback=True):
        to_apply = pending(db, known)
    if to_apply:
        applied = len(known) - len(to_apply)
        schema, is_first = _grader_schema(known[applied - 1].number if applied else 0, known)
        original_table.take_over(db, schema, is_first=is_first)
    for migration in to_apply:
        try:
            db.execute(migration.sql.encode())
            note = {"number": migration.number, "name": migration.file.removesuffix(".sql")}
            db.execute(statement("session/note_migration"), note)
        except psycopg.OperationalError:
            raise
        except psycopg.errors.InsufficientPrivilege as error:
            raise PermanentFailure(
                f"The role of DATABASE_URL may not apply sql/schema/{migration.file} "
                f"({cause(error)}). Run `grader-pipeline migrate` with a DATABASE_URL whose role "
                "owns the tables and has CREATE on their schema, or give this role both."
            ) from None
        except psycopg.Error as error:
            raise PermanentFailure(
                f"sql/schema/{migration.file} cannot be applied ({cause(error)}; "
                f"{type(error).__name__}). The schema is as it was before. Compare the database "
                "with that file."
            ) from None
    if to_apply:
        log.info("Migrated the schema: %s", ", ".join(migration.file for migration in to_apply))


def _grader_schema(number: int, known: Sequence[Migration]) -> tuple[list[str], bool]:
    """The migrations that make ``grader`` at this number, and whether that is none yet."""
    first = relations(known)["grader"].number
    last = max(number, first)
    return [migration.sql for migration in known if migration.number <= last], number < first


@cache
def _say_newer(number: int, last: int) -> None:
    text = "The schema has number %d, this code %d: a newer release migrated it. It stays as it is"
    log.info(text, number, last)

"""A table ``grader`` that the original script made, or that somebody altered.

It is compared with the table that sql/schema makes before anything is written. What can be changed
without a loss and in short time is changed in the transaction of the migrations: keys, NOT NULL,
the length of texts, missing columns that may be empty. Anything else is refused, with the SQL that
mends it: other programs may need the table as it is, so a person decides.
"""

import logging
from collections.abc import Sequence

import psycopg

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.resources.connections import Connection, cause
from grader_pipeline.resources.table_differences import (
    KEY,
    Described,
    Difference,
    further,
    of_columns,
    of_keys,
    of_types,
    set_aside,
)
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)


def look(
    db: Connection, schema: Sequence[str], *, is_first: bool = False, is_newer: bool = False
) -> list[Difference]:
    """Compare ``grader`` with the table that ``schema`` makes, the texts of its migrations.

    Changes nothing. The differences are in the order in which their changes can be made.
    ``is_first``: the database has no migration yet. ``is_newer``: a newer release may have added
    columns and keys.
    """
    live = db.execute(statement("session/grader_relation"), {"temporary": False}).fetchone()
    if live is None:
        return []
    if is_first and not live["may_alter"]:
        change = f"ALTER TABLE grader OWNER TO {live['role']};"
        return [Difference("another role owns it", change)]
    with db.transaction(force_rollback=True):
        db.execute(statement("checks/use_temporary_schema"))
        for text in schema:
            db.execute(text.encode())
        made = db.execute(statement("session/grader_relation"), {"temporary": True}).fetchone()
        wanted, wanted_keys = _columns(db, made or {}), _keys(db, made or {})
    columns = _columns(db, live)
    if live["kind"] != "r" or not columns.keys() >= set(KEY):
        return [set_aside(live["kind"], columns, wanted, schema[-1] if is_first else "")]
    drops, adds = of_keys(db, columns, _keys(db, live), wanted_keys)
    too_much = [] if is_newer else [*drops, *further(columns, wanted)]
    return [*too_much, *of_types(db, columns, wanted), *of_columns(db, columns, wanted), *adds]


def take_over(db: Connection, schema: Sequence[str], *, is_first: bool) -> None:
    """Make ``grader`` the table of ``schema``, in the caller's transaction.

    Raises PermanentFailure if that needs a person, with the SQL that mends the table.
    """
    differences = look(db, schema, is_first=is_first)
    if any(not difference.is_safe for difference in differences):
        raise PermanentFailure(refusal(differences))
    try:
        for difference in differences:
            db.execute(difference.change.encode())
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise PermanentFailure(f"{refusal(differences)}\n({cause(error)})") from None
    if differences:
        log.info("Took over the table grader as it was: %s", texts(differences))


def texts(differences: Sequence[Difference]) -> str:
    """The differences in one line."""
    return "; ".join(difference.text for difference in differences)


def refusal(differences: Sequence[Difference]) -> str:
    """Say what is wrong with ``grader``, and give the SQL that mends it."""
    said = (
        f"The table grader is not the one that sql/schema makes: {texts(differences)}. Nothing "
        "was changed."
    )
    queries = [f"{difference.query};" for difference in differences if difference.query]
    changes = [difference.change for difference in differences if difference.change]
    if queries:
        shown = "\n".join(queries)
        said += f" Decide about what these queries show, and change it by hand:\n{shown}\n"
    if changes:
        shown = "\n".join(("BEGIN;", *changes, "COMMIT;"))
        said += f"{'Then run' if queries else ' Run'} this SQL as the owner of grader:\n{shown}"
    return said


def _columns(db: Connection, relation: Described) -> dict[str, Described]:
    found = db.execute(statement("session/grader_columns"), {"oid": relation.get("oid")})
    return {row["name"]: row for row in found.fetchall()}


def _keys(db: Connection, relation: Described) -> Sequence[Described]:
    given = {"oid": relation.get("oid"), "key": list(KEY)}
    return db.execute(statement("session/grader_keys"), given).fetchall()

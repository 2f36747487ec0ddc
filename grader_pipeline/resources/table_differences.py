"""How a table ``grader`` differs from that of sql/schema, and the SQL that mends each difference.

The columns and keys are rows of ``sql/session/grader_columns.sql`` and ``grader_keys.sql``.
The SQL is for a person to read and run. It names columns, types, keys and views: no value of a row.
"""
# ruff: noqa: S608 (what is put into SQL here are names that PostgreSQL gave, quoted by it)

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader_pipeline.resources.connections import Connection

Described = Mapping[str, Any]
"""A column or a key, as the statement that describes it gives it."""

KEY = ("created_at", "user_id")

_TEXT = re.compile(r"text|character varying(?:\((\d+)\))?")
_NUMBER = re.compile(r"smallint|integer|bigint|real|double precision|numeric.*")
_NEXT_ID = (
    "SELECT setval(pg_get_serial_sequence('grader', 'id'), coalesce(max(id), 0) + 1, false)"
    " FROM grader;"
)


@dataclass(frozen=True)
class Difference:
    """One way in which ``grader`` differs from the table of sql/schema."""

    text: str
    change: str = ""
    """The SQL that mends it."""
    query: str = ""
    """The SQL that shows what somebody has to decide before the change."""
    is_safe: bool = False
    """Whether the change loses nothing, takes a short time, and disturbs no other program."""


def _any(db: Connection, query: str) -> bool:
    return db.execute(f"{query} LIMIT 1".encode()).fetchone() is not None


def set_aside(
    kind: str, columns: Mapping[str, Described], wanted: Mapping[str, Described], schema: str
) -> Difference:
    """Rename what is no usable table, and copy its rows into a new one if ``schema`` is given."""
    text = "it is no ordinary table" if kind != "r" else f"it lacks {' or '.join(KEY)}"
    changes = ["ALTER TABLE grader RENAME TO grader_original;"]
    if schema and columns.keys() >= set(KEY):
        shared = [name for name in wanted if name in columns]
        values = [_converted(columns[name], wanted[name]["type"]) for name in shared]
        filled = " AND ".join(f"{name} IS NOT NULL" for name in KEY)
        changes += [
            re.sub(r"^--.*\n", "", schema, flags=re.MULTILINE).strip(),
            f"INSERT INTO grader ({', '.join(shared)}) SELECT {', '.join(values)}"
            f" FROM grader_original WHERE {filled} ORDER BY {', '.join(KEY)}"
            " ON CONFLICT DO NOTHING;",
            _NEXT_ID,
        ]
    return Difference(text, "\n".join(changes))


def _converted(column: Described, to: str) -> str:
    """A value of the column as the type ``to``, whose length is not considered."""
    name, type_ = column["name"], column["type"]
    if to.startswith("timestamp") and type_.endswith("with time zone"):
        return f"{name} AT TIME ZONE 'UTC'"
    if to == "boolean" and _NUMBER.fullmatch(type_):
        return f"{name}::integer::boolean"
    if type_ == "uuid":
        return f"replace({name}::text, '-', '')"
    return f"{name}::text" if _TEXT.fullmatch(to) else f"{name}::{to}"


def of_keys(
    db: Connection,
    columns: Mapping[str, Described],
    found: Sequence[Described],
    wanted: Sequence[Described],
) -> tuple[list[Difference], list[Difference]]:
    """The keys that are too much, and those that are missing."""
    drops, adds = [], []
    for key in found:
        is_wanted = key["definition"] in {other["definition"] for other in wanted}
        if is_wanted or (key["is_implied"] and not key["name"]):
            continue
        needed = key["needed_by"]
        change = f"ALTER TABLE grader DROP CONSTRAINT {key['name']};"
        if not key["name"]:
            change = f"DROP INDEX {key['index']};"
        text = f"it has {key['definition'] or 'the unique index ' + key['index']}"
        text += ", which foreign keys need" if needed else ""
        is_safe = key["is_implied"] and not key["is_primary"] and not needed
        drops.append(Difference(text, "\n".join((*needed, change)), is_safe=is_safe))
    for key in wanted:
        definition, names = key["definition"], ", ".join(key["columns"])
        if definition in {other["definition"] for other in found}:
            continue
        is_there = columns.keys() >= set(key["columns"])
        filled = " AND ".join(f"{name} IS NOT NULL" for name in key["columns"])
        same = f"FROM grader WHERE {filled} GROUP BY {names} HAVING count(*) > 1"
        if is_there and _any(db, f"SELECT {same}"):
            query = f"SELECT {names}, count(*), array_agg(ctid) AS places {same}"
            adds.append(Difference(f"rows have the same {names}", query=query))
        change = f"ALTER TABLE grader ADD {definition};"
        adds.append(Difference(f"it lacks {definition}", change, is_safe=is_there))
    return drops, adds


def further(
    columns: Mapping[str, Described], wanted: Mapping[str, Described]
) -> Iterator[Difference]:
    """Further columns go to a table beside. A view that reads one of them is shown."""
    others = [column for name, column in columns.items() if name not in wanted]
    for view in _readers(others, "views", "materialized"):
        yield Difference(f"the view {view} reads a further column", query=_definition(view))
    if others:
        key = ["id"] if "id" in columns else list(KEY)
        names = [column["quoted"] for column in others]
        change = (
            f"CREATE TABLE grader_further AS SELECT {', '.join(key + names)} FROM grader;\n"
            f"ALTER TABLE grader {', '.join(f'DROP COLUMN {name}' for name in names)};"
        )
        yield Difference(f"it also has {', '.join(names)}", change)


def _readers(columns: Sequence[Described], *kinds: str) -> list[str]:
    """The views of these kinds that read the columns, each once, in the order of their making."""
    return list(dict.fromkeys(v for kind in kinds for column in columns for v in column[kind]))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _definition(view: str) -> str:
    return f"SELECT pg_get_viewdef({_literal(view)}::regclass)"


def of_types(
    db: Connection, columns: Mapping[str, Described], wanted: Mapping[str, Described]
) -> Iterator[Difference]:
    """Columns of another type. Views are in the way: they are dropped and made again."""
    changed = [
        (columns[name], column["type"])
        for name, column in wanted.items()
        if name in columns and columns[name]["type"] != column["type"]
    ]
    views = _readers([column for column, _ in changed], "views")
    materialized = _readers([column for column, _ in changed], "materialized")
    for view in materialized:
        text = f"the materialized view {view} reads a column to change"
        yield Difference(text, query=_definition(view))
    if views:
        listed = ", ".join(map(_literal, views))
        change = (
            "CREATE TEMPORARY TABLE kept_view ON COMMIT DROP AS SELECT name, place,"
            f" pg_get_viewdef(name::regclass) AS text FROM unnest(ARRAY[{listed}])"
            f" WITH ORDINALITY AS view (name, place);\nDROP VIEW {', '.join(views)};"
        )
        yield Difference(f"views read it ({', '.join(views)})", change)
    for column, to in changed:
        name, length = column["name"], _TEXT.fullmatch(to)
        both_texts = bool(length and _TEXT.fullmatch(column["type"]))
        query = ""
        if both_texts and length and length[1]:
            query = f"SELECT * FROM grader WHERE length({name}) > {length[1]}"
        elif to == "boolean" and _NUMBER.fullmatch(column["type"]):
            query = f"SELECT * FROM grader WHERE {name} NOT IN (0, 1)"
        if query and _any(db, query):
            yield Difference(f"{name} has values that {to} cannot hold", query=query)
        using = f" USING {_converted(column, to)}"
        parts = [f"DROP CONSTRAINT {constraint}" for constraint in column["constraints"]]
        if column["has_default"] and name != "id":
            parts.append(f"ALTER COLUMN {name} DROP DEFAULT")
        parts.append(f"ALTER COLUMN {name} TYPE {to}{'' if name == 'id' else using}")
        is_safe = both_texts and not (views or materialized or len(parts) > 1)
        text = f"{name} is {column['type']}, not {to}"
        yield Difference(text, f"ALTER TABLE grader {', '.join(parts)};", is_safe=is_safe)
    if views:
        change = (
            "DO $$ DECLARE kept record; BEGIN FOR kept IN SELECT * FROM kept_view ORDER BY place"
            " LOOP EXECUTE format('CREATE VIEW %s AS %s', kept.name, kept.text); END LOOP;"
            " END $$;"
        )
        yield Difference("their rights are to be granted again", change)


def of_columns(
    db: Connection, columns: Mapping[str, Described], wanted: Mapping[str, Described]
) -> Iterator[Difference]:
    """Missing columns, NOT NULL, and ids that nothing counts up."""
    for name, column in wanted.items():
        found, not_null = columns.get(name), column["not_null"]
        if found is None:
            type_ = "serial" if name == "id" else column["type"]
            change = f"ALTER TABLE grader ADD COLUMN {name} {type_};"
            yield Difference(f"it lacks {name}", change, is_safe=not not_null)
        elif found["not_null"] != not_null:
            query = f"SELECT * FROM grader WHERE {name} IS NULL"
            if not_null and _any(db, query):
                yield Difference(f"rows have no {name}", query=query)
            text = f"{name} {'can be' if not_null else 'cannot be'} NULL"
            change = f"ALTER COLUMN {name} {'SET' if not_null else 'DROP'} NOT NULL"
            yield Difference(text, f"ALTER TABLE grader {change};", is_safe=True)
    if "id" in columns and not columns["id"]["has_default"]:
        change = "ALTER TABLE grader ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;"
        yield Difference("nothing counts its id up", f"{change}\n{_NEXT_ID}")

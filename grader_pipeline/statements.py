"""The statements in ``sql/``, by name. Python names a statement; only the file knows it.

``sql/load/insert_new.sql`` is ``statement("load/insert_new")``. A file with parameters
(``%(name)s``, always bound, never pasted) holds exactly one statement.
"""

from functools import cache
from pathlib import Path

from grader_pipeline.settings import PROJECT

SQL = PROJECT / "sql"


@cache
def statement(name: str) -> bytes:
    """The text of ``sql/<name>.sql``, as psycopg takes it.

    Raises FileNotFoundError if there is no such file.
    """
    return (SQL / f"{name}.sql").read_bytes()


def files(folder: str) -> list[Path]:
    """The .sql files of ``sql/<folder>`` in the order of their names."""
    return sorted((SQL / folder).glob("*.sql"))

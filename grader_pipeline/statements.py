"""The statements in ``sql/``, by name: ``sql/load/insert_new.sql`` is "load/insert_new".

A file with parameters (``%(name)s``, always bound, never pasted) holds exactly one statement. The
package has the files in its folder ``sql``. In a checkout that is a link to ``../sql``.
"""

from functools import cache
from importlib import resources
from pathlib import Path

# A Path, not only a Traversable: the UI links to these files, the run server watches them.
SQL = Path(str(resources.files("grader_pipeline") / "sql"))

_REINSTALL = "Install grader-pipeline again, or restore the folder sql/ of the checkout."


@cache
def statement(name: str) -> bytes:
    """The text of ``sql/<name>.sql``, as psycopg takes it.

    Raises FileNotFoundError if there is no such file.
    """
    try:
        return (SQL / f"{name}.sql").read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"sql/{name}.sql is missing. {_REINSTALL}") from None


def files(folder: str) -> list[Path]:
    """The .sql files of ``sql/<folder>`` in the order of their names.

    Raises FileNotFoundError if there is none.
    """
    found = sorted((SQL / folder).glob("*.sql"))
    if not found:
        raise FileNotFoundError(f"sql/{folder} has no .sql file. {_REINSTALL}")
    return found

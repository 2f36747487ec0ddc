"""pandas.to_sql at its best: straight into the table, by its documented way to use COPY."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import create_engine

from benchmarks.programs import reported
from benchmarks.programs.elements import attempts


def main() -> None:
    """Load the day."""
    with reported():
        frame = attempts().to_pandas()
        engine = create_engine(os.environ["DATABASE_URL"].replace(":", "+psycopg2:", 1))
        frame.to_sql("grader", engine, if_exists="append", index=False, method=by_copy)


def by_copy(
    table: pd.io.sql.SQLTable,
    connection: Any,  # noqa: ANN401
    names: Sequence[str],
    rows: Iterable[Any],
) -> None:
    """Copy rows as CSV. A null is not an empty text."""
    text = io.StringIO()
    csv.writer(text).writerows([r"\N" if v is None else v for v in row] for row in rows)
    text.seek(0)
    copy = f"COPY {table.name} ({', '.join(names)}) FROM STDIN (FORMAT csv, NULL '\\N')"
    connection.connection.cursor().copy_expert(copy, text)


if __name__ == "__main__":
    main()

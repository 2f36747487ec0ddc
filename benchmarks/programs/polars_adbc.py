"""polars and ADBC, straight into the table: binary COPY of Arrow columns, written in C."""

import os

import polars as pl

from benchmarks.programs import reported
from benchmarks.programs.elements import attempts


def main() -> None:
    """Load the day."""
    with reported():
        frame = pl.DataFrame(pl.from_arrow(attempts()))
        frame.write_database(
            "grader", os.environ["DATABASE_URL"], engine="adbc", if_table_exists="append"
        )


if __name__ == "__main__":
    main()

"""dlt, the tool that a user would pick instead, in its fastest form.

An Arrow table, so dlt looks at no row; Parquet files, which its ADBC driver copies; delete-insert
by the key, without a search for repetitions: there are none.
"""

import os
from collections.abc import Iterator

import dlt
import pyarrow as pa

from benchmarks.programs import reported
from benchmarks.programs.elements import KEY, attempts


@dlt.resource(  # type: ignore[untyped-decorator,unused-ignore]  # dlt comes with `make bench`
    name="grader",
    write_disposition={"disposition": "merge", "strategy": "delete-insert", "deduplicated": True},
    primary_key=KEY,
    columns={"created_at": {"data_type": "timestamp", "timezone": False}},
)
def day() -> Iterator[pa.Table]:
    """The day's attempts."""
    yield attempts()


def main() -> None:
    """Load the day."""
    # dlt asks for a host and a password; the address of the socket outweighs the one, and the
    # server asks for no other.
    url = os.environ["DATABASE_URL"].replace("postgres@/", "postgres:unused@localhost/")
    with reported():
        pipeline = dlt.pipeline(
            "benchmark",
            pipelines_dir=os.environ["BENCH_FOLDER"],
            destination=dlt.destinations.postgres(url),
            dataset_name="dlt",
        )
        pipeline.run(day(), loader_file_format="parquet")


if __name__ == "__main__":
    main()

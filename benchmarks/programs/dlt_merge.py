"""dlt, the tool that a user would pick instead: the day merged into PostgreSQL by its key.

What cannot be read is skipped; dlt finds types and makes tables, stages and merges by itself.
"""

import ast
import datetime as dt
import os
from collections.abc import Iterator
from typing import Any

import dlt
from dlt.sources.helpers import requests

from benchmarks.programs import reported

PAGE = 5_000
FIELDS = ("oauth_consumer_key", "lis_result_sourcedid", "lis_outcome_service_url")


@dlt.resource(  # type: ignore[untyped-decorator,unused-ignore]  # dlt comes with `make bench`
    name="grader",
    write_disposition="merge",
    primary_key=("created_at", "user_id"),
    columns={
        "user_id": {"data_type": "text"},
        "oauth_consumer_key": {"data_type": "text"},
        "lis_result_sourcedid": {"data_type": "text"},
        "lis_outcome_service_url": {"data_type": "text"},
        "is_correct": {"data_type": "bool"},
        "attempt_type": {"data_type": "text"},
        "created_at": {"data_type": "timestamp", "timezone": False},
    },
)
def attempts() -> Iterator[list[dict[str, Any]]]:
    """The day's attempts, a page at a time."""
    page: list[dict[str, Any]] = []
    for row in requests.get(os.environ["BENCH_REQUEST"], timeout=600).json():
        if (attempt := attempt_of(row)) is not None:
            page.append(attempt)
        if len(page) == PAGE:
            yield page
            page = []
    yield page


def attempt_of(row: dict[str, Any]) -> dict[str, Any] | None:
    """The attempt that an element is, if it can be read and loaded."""
    try:
        passback = ast.literal_eval(row["passback_params"])
        attempt = {
            "user_id": row["lti_user_id"],
            **{name: passback.get(name) for name in FIELDS},
            "is_correct": None if row["is_correct"] is None else bool(row["is_correct"]),
            "attempt_type": row["attempt_type"],
            "created_at": dt.datetime.fromisoformat(row["created_at"]),
        }
    except (ValueError, KeyError, TypeError, AttributeError, SyntaxError, MemoryError):
        return None
    texts = (attempt["user_id"], attempt["lis_result_sourcedid"], attempt["attempt_type"])
    is_whole = all(isinstance(text, str) and text and text.isprintable() for text in texts)
    return attempt if is_whole and attempt["created_at"].tzinfo is None else None


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
        pipeline.run(attempts())


if __name__ == "__main__":
    main()

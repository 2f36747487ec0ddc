r"""The limit twin: the same bytes in, the same rows out, and nothing else. The floor.

One thread fetches and cuts the answer at line ends, another reads its lines with a regular
expression in polars and writes them as PostgreSQL's text format, the main one hands that to a COPY
straight into the table. It knows how the sample API writes a row down to the blanks: whatever is
written otherwise is dropped unseen, so it has no quarantine, no reasons, no counts, no second run,
and another API would be lost on it.
"""

import ast
import datetime as dt
import json
import os
from collections.abc import Iterator
from queue import Queue
from threading import Thread
from urllib.request import urlopen

import polars as pl
import psycopg

from benchmarks.programs import reported

CHUNK = 8 * 1024 * 1024
QUEUED = 4
LONGEST = 255
KEY = ["created_at", "user_id"]
TAIL = 1_000  # rows in which a twin follows its model
TIME = "%Y-%m-%d %H:%M:%S%.f"

COPY = """
COPY grader (user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url,
             is_correct, attempt_type, created_at) FROM STDIN
"""
ROW = (
    r'^\{{"lti_user_id": "(?P<user_id>[^"\\]+)", "passback_params": "\{{'
    r"'oauth_consumer_key': (?P<key>{key}), "
    r"'lis_result_sourcedid': '(?P<sourcedid>[^'\\]+)'"
    r"(?:, 'lis_outcome_service_url': (?:'(?P<url>[^'\\]*)'|None))?"
    r'\}}", "is_correct": (?P<is_correct>null|0|1|false|true), '
    r'"attempt_type": "(?P<attempt_type>run|submit)", '
    r'"created_at": "(?P<created_at>[0-9]{{4}}-[0-9: -]+(?:\.[0-9]{{1,6}})?)"\}},?$'
)
USUAL = ROW.format(key=r"'[^'\\]*'|None")
QUOTED = ROW.format(key=r"'.*?[^\\]'|\\\".*?[^\\]\\\"")
"""Three times as dear, so only asked where a key is written with quotes or escapes."""

VERDICTS = {"null": None, "0": "f", "false": "f", "1": "t", "true": "t"}


def main() -> None:
    """Load the day."""
    with reported():
        bodies: Queue[bytes | None] = Queue(QUEUED)
        texts: Queue[bytes | None] = Queue(QUEUED)
        Thread(target=fetch, args=(bodies,), daemon=True).start()
        Thread(target=read, args=(bodies, texts), daemon=True).start()
        with psycopg.connect(os.environ["DATABASE_URL"]) as db, db.cursor().copy(COPY) as stream:
            for text in taken(texts):
                stream.write(text)


def fetch(bodies: "Queue[bytes | None]") -> None:
    """Pass the answer on in pieces that end with a line."""
    rest = b""
    with urlopen(os.environ["BENCH_REQUEST"]) as answer:  # noqa: S310 - our own server
        answer.read(1)
        while chunk := answer.read(CHUNK):
            end = chunk.rfind(b"\n") + 1
            bodies.put(rest + chunk[:end])
            rest = chunk[end:]
    bodies.put(rest.removesuffix(b"]"))
    bodies.put(None)


def read(bodies: "Queue[bytes | None]", texts: "Queue[bytes | None]") -> None:
    """Make rows of the lines and text of the rows."""
    latest = None
    for body in taken(bodies):
        rows = rows_of(body)
        if latest is not None:
            rows = rows.join(latest, on=KEY, how="anti", maintain_order="left")
        latest = rows.select(KEY).top_k(TAIL, by="created_at")
        text = rows.write_csv(
            include_header=False, separator="\t", quote_style="never", null_value="\\N",
            datetime_format=TIME.replace("%.f", "%.6f"),
        )  # fmt: skip
        texts.put(text.encode())
    texts.put(None)


def rows_of(body: bytes) -> pl.DataFrame:
    """The attempts among the lines, once each."""
    lines = pl.read_csv(
        body, has_header=False, separator="\x1f", quote_char=None, new_columns=["line"],
        schema={"line": pl.String},
    )  # fmt: skip
    usual, quoted = (pl.col("line").str.extract_groups(row) for row in (USUAL, QUOTED))
    found = lines.with_columns(usual.alias("found"))
    others = found.filter(pl.col("found").struct.field("user_id").is_null()).select(quoted)
    start, end = map(dt.datetime.fromisoformat, os.environ["BENCH_WINDOW"].split("/"))
    time = pl.col("created_at").str.to_datetime(TIME, time_unit="us", strict=False)
    rows = (
        pl.concat([found.select("found").unnest("found"), others.unnest("line")])
        .lazy()
        .with_columns(time, pl.col("is_correct").replace_strict(VERDICTS, default=None))
        .filter(
            pl.col("created_at").is_between(start, end),
            pl.col("user_id").str.len_chars() <= LONGEST,
            pl.col("key").str.len_bytes() <= LONGEST,
        )
        .unique(KEY, keep="first", maintain_order=True)
        .collect()
    )
    keys = {token: spelled(token) for token in rows["key"].unique()}
    return rows.with_columns(pl.col("key").replace_strict(keys, return_dtype=pl.String))


def spelled(token: str) -> str | None:
    """The value that a Python literal inside of a JSON text spells, as COPY reads it."""
    value = ast.literal_eval(json.loads(f'"{token}"'))
    return None if value is None else value.replace("\\", "\\\\")


def taken(queue: "Queue[bytes | None]") -> Iterator[bytes]:
    """What comes out of the queue until its end."""
    while (item := queue.get()) is not None:
        yield item


if __name__ == "__main__":
    main()

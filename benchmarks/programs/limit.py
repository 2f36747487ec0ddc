r"""The limit twin: the same bytes in, the same rows out, and nothing else. The floor.

One thread fetches and cuts the answer at line ends, another takes its lines apart at the quotes in
polars and writes them in PostgreSQL's binary format, the main one hands that to a COPY straight
into the table. It knows how the sample API writes an element down to the blanks: what is written
otherwise is dropped unseen, so it has no quarantine, no reasons, no counts, no second run, and
another API would be lost on it.
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
from pgpq import ArrowToPostgresBinaryEncoder

from benchmarks.programs import reported

CHUNK = 8 * 1024 * 1024
QUEUED = 4
LONGEST = 255
KEY = ["created_at", "user_id"]
TAIL = 1_000  # rows in which a twin follows its model
FEW = 10_000  # rows, which stay in the processor's cache
TIME = "%Y-%m-%d %H:%M:%S%.f"

COPY = """
COPY grader (user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url,
             is_correct, attempt_type, created_at) FROM STDIN (FORMAT binary)
"""

USUAL = (
    "{", "lti_user_id", ": ", None, ", ", "passback_params", ": ", None, ", ", "is_correct", None,
    "attempt_type", ": ", None, ", ", "created_at", ": ", None,
)  # fmt: skip
"""A line between its quotes; None for what is not always the same."""

PLACES = {"user_id": 3, "passback": 7, "is_correct": 10, "attempt_type": 13, "created_at": 17}
VALUES = ["user_id", "key", "sourcedid", "url", "is_correct", "attempt_type", "created_at"]

PASSBACK = (
    r"\{{'oauth_consumer_key': (?P<key>{key}), "
    r"'lis_result_sourcedid': '(?P<sourcedid>[^'\\]+)'"
    r"(?:, 'lis_outcome_service_url': (?:'(?P<url>[^'\\]*)'|None))?\}}"
)
USUAL_PASSBACK = "^" + PASSBACK.format(key=r"'[^'\\]*'|None") + "$"
QUOTED = (
    r'^\{"lti_user_id": "(?P<user_id>[^"\\]+)", "passback_params": "'
    + PASSBACK.format(key=r"'.*?[^\\]'|\\\".*?[^\\]\\\"")
    + r'", "is_correct"(?P<is_correct>: (?:null|0|1|false|true), )'
    r'"attempt_type": "(?P<attempt_type>run|submit)", '
    r'"created_at": "(?P<created_at>[^"]+)"\},?$'
)
"""For the few lines with a key that is written with quotes or escapes."""

VERDICTS = {": 0, ": False, ": false, ": False, ": 1, ": True, ": true, ": True}
UNKNOWN = ": null, "


def main() -> None:
    """Load the day."""
    with reported():
        bodies: Queue[bytes | None] = Queue(QUEUED)
        pieces: Queue[bytes | None] = Queue(QUEUED)
        Thread(target=fetch, args=(bodies,), daemon=True).start()
        Thread(target=read, args=(bodies, pieces), daemon=True).start()
        with psycopg.connect(os.environ["DATABASE_URL"]) as db, db.cursor().copy(COPY) as stream:
            for piece in taken(pieces):
                stream.write(piece)


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


def read(bodies: "Queue[bytes | None]", pieces: "Queue[bytes | None]") -> None:
    """Make rows of the lines, and of the rows what COPY reads."""
    latest = encoder = None
    for body in taken(bodies):
        rows = rows_of(body)
        if latest is not None:
            rows = rows.join(latest, on=KEY, how="anti", maintain_order="left")
        latest = rows.select(KEY).top_k(TAIL, by="created_at")
        table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        if encoder is None:
            encoder = ArrowToPostgresBinaryEncoder(table.schema)
            pieces.put(encoder.write_header())
        for batch in table.to_batches(max_chunksize=FEW):
            pieces.put(encoder.write_batch(batch))
    if encoder is not None:
        pieces.put(encoder.finish())
    pieces.put(None)


def rows_of(body: bytes) -> pl.DataFrame:
    """The attempts among the lines, once each."""
    lines = pl.read_csv(
        body, has_header=False, separator="\x1f", quote_char=None, new_columns=["line"],
        schema={"line": pl.String},
    )  # fmt: skip
    found = values_of(lines)
    start, end = map(dt.datetime.fromisoformat, os.environ["BENCH_WINDOW"].split("/"))
    rows = (
        found.lazy()
        .with_columns(
            pl.col("created_at").str.to_datetime(TIME, time_unit="us", strict=False),
            pl.col("is_correct").replace_strict(VERDICTS, default=None, return_dtype=pl.Boolean),
        )
        .filter(
            pl.col("created_at").is_between(start, end),
            pl.col("user_id").str.len_chars().is_between(1, LONGEST),
            pl.col("key").str.len_bytes() <= LONGEST,
        )
        .unique(KEY, keep="first", maintain_order=True)
        .collect()
    )
    keys = {token: ast.literal_eval(json.loads(f'"{token}"')) for token in rows["key"].unique()}
    return rows.with_columns(pl.col("key").replace_strict(keys, return_dtype=pl.String))


def values_of(lines: pl.DataFrame) -> pl.DataFrame:
    """The values of the lines that can be read, as they are written."""
    parts = lines.with_columns(pl.col("line").str.split_exact('"', len(USUAL) + 1).alias("part"))
    part = [pl.col("part").struct.field(f"field_{place}") for place in range(len(USUAL) + 2)]
    is_usual = pl.all_horizontal(
        *(part[place] == text for place, text in enumerate(USUAL) if text is not None),
        part[10].is_in([UNKNOWN, *VERDICTS]),
        ~part[3].str.contains("\\", literal=True),
        part[13].is_in(["run", "submit"]),
        part[len(USUAL)].is_in(["}", "},"]),
        part[len(USUAL) + 1].is_null(),
    ).fill_null(value=False)
    usual = parts.filter(is_usual).select(
        "line",
        **{name: part[place] for name, place in PLACES.items()},
    )
    # Each text once: learners try a task often.
    passbacks = usual.select(pl.col("passback").unique()).with_columns(
        pl.col("passback").str.extract_groups(USUAL_PASSBACK).alias("found")
    )
    read = usual.join(passbacks.unnest("found"), on="passback", how="left", maintain_order="left")
    is_read = pl.col("sourcedid").is_not_null()
    others = pl.concat(
        [parts.filter(~is_usual).select("line"), read.filter(~is_read).select("line")]
    )
    quoted = others.select(pl.col("line").str.extract_groups(QUOTED)).unnest("line")
    return pl.concat([frame.select(VALUES) for frame in (read.filter(is_read), quoted)])


def taken(queue: "Queue[bytes | None]") -> Iterator[bytes]:
    """What comes out of the queue until its end."""
    while (item := queue.get()) is not None:
        yield item


if __name__ == "__main__":
    main()

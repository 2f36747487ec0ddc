"""The grader's answer for one day, as received.

This step asks the API for the day's window in UTC and stores the answer compressed, so that the day
can be validated and loaded again without the API. An answer that is not one whole JSON list is
refused, and the stored answer stays. An answer that differs from the stored one replaces it, and
the metadata of the materialization says so. If attempts were loaded from the stored one, it is
copied to the kept answers first.

If learners were forgotten, their elements are replaced by {"forgotten": true} before the answer is
compared and stored. Positions stay.

Source: GRADER_API_URL; load_history; forgotten_learner. Times are UTC.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace

import dagster as dg
from upath import UPath

from grader_pipeline.asset_names import RAW_ATTEMPTS
from grader_pipeline.assets import GROUP, metadata_once
from grader_pipeline.attempts.forgotten import scrub
from grader_pipeline.attempts.response import unpacked, unpacked_sha256
from grader_pipeline.object_store import exists, open_file
from grader_pipeline.partitions import SchoolDay, day_of, days_partitions
from grader_pipeline.resources.grader_api import GraderApi, Response
from grader_pipeline.resources.learner_lists import LEARNERS, forgotten_learners
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.statements import statement
from grader_pipeline.storage import DayFiles, Replacement

log = logging.getLogger(__name__)

_POOL = "grader_api"


@dg.asset(
    description=__doc__,
    group_name=GROUP,
    kinds={"api", "json"},
    partitions_def=days_partitions(),
    io_manager_key="storage",
    pool=_POOL,
)
def raw_attempts(
    context: dg.AssetExecutionContext,
    grader_api: GraderApi,
    postgres: Postgres,
    storage: dg.ResourceParam[DayFiles],
) -> Iterator[dg.MaterializeResult]:
    """Fetch the day, as the module's text describes."""
    day = day_of(context)
    postgres.waits.note_start(context, _POOL)
    window = day.api_window()
    log.info("raw_attempts %s: asking for %s to %s UTC", day.key, window["start"], window["end"])
    stored = storage.path(RAW_ATTEMPTS, day)
    with (
        grader_api.get_api_data(grader_api.url, window) as received,
        # Until the answer is stored.
        postgres.holding(LEARNERS, shared=True),
    ):
        answer = _without_forgotten(postgres, received)
        change, kept = _change(postgres, day, stored, answer.sha256)
        log.info(
            "raw_attempts %s: %d elements, %d bytes in %.1f s, %s",
            day.key, answer.received, answer.size, answer.seconds, change,
        )  # fmt: skip
        result: dg.MaterializeResult = dg.MaterializeResult(
            value=Replacement(answer.path, kept) if kept else answer.path,
            metadata={
                "dagster/row_count": answer.received,
                "window (UTC)": f"{window['start']} — {window['end']}",
                "body (bytes)": answer.size,
                "body sha256": answer.sha256,
                "against the stored answer": change,
                "seconds": answer.seconds,
            },
        )
        yield metadata_once(context, result)


def _without_forgotten(postgres: Postgres, answer: Response) -> Response:
    with postgres.transaction() as db:
        forgotten = forgotten_learners(db)
    if not forgotten:
        return answer
    file = answer.path.with_name("without-forgotten.json.zst")
    with unpacked(answer.path.open("rb")) as body:
        found = scrub(body, file, forgotten)
    if not found.new:
        return answer
    return replace(answer, path=file, size=found.size, sha256=found.sha256)


def _change(postgres: Postgres, day: SchoolDay, stored: UPath, now: str) -> tuple[str, str | None]:
    """How the new answer differs from the stored one, and that one's hash if it is to be kept."""
    if not exists(stored):
        return "first answer for this day", None
    try:
        before = unpacked_sha256(open_file(stored))
    except OSError as error:
        # pyarrow's own OSError, of a damaged file, has no number. One of the disk or network has.
        if error.errno is not None:
            raise
        log.warning("%s cannot be read. The new answer replaces it.", stored)
        return "the stored one could not be read, and is replaced", None
    if before == now:
        return "the same as before", None
    with postgres.transaction() as db:
        loads = db.execute(statement("reading/loaded_answers"), day.parameters).fetchall()
    if any(before in {load["body_sha256"], load["kept_sha256"]} for load in loads):
        return "differs from the stored one and replaces it; that one is kept", before
    return "differs from the stored one and replaces it", None

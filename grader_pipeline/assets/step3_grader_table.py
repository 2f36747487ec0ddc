"""The day's attempts in PostgreSQL's table grader.

If the table has none of the day, they are copied into it. Otherwise they are copied into a staging
table, inserted where they are new, and compared with those that were stored. One transaction, under
a lock on the day, also writes the day's quarantine, its line of the ledger, and a new line of
load_history. Running a day again changes no other day, and loses no attempt. If the API sends
another version of a stored attempt, the stored one is kept and reported; run config "on_conflict:
update" takes the API's version, and counts it as updated.

If the day's attempts change, the same transaction updates the rollups that the reports read
(sql/schema/060_rollups.sql). It does so too if somebody else has changed them: the table is the
truth of every report. A few other days that somebody else has changed are rolled up afterwards.

Source: validated_attempts. Times are UTC.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

import dagster as dg
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.errors import UniqueViolation
from upath import UPath

from grader_pipeline import checks
from grader_pipeline.asset_names import GRADER_TABLE
from grader_pipeline.assets import GROUP, column_schema, metadata_once
from grader_pipeline.assets.materializations import grader_table_metadata, read_ledger
from grader_pipeline.attempts.columns import COLUMNS, KEY, NAMES
from grader_pipeline.attempts.forgotten_rows import has_forgotten
from grader_pipeline.attempts.rollup import DayRollup
from grader_pipeline.attempts.validated_file import (
    DamagedFileError,
    attempts,
    opened,
    quarantine,
    tally_of,
)
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.object_store import open_file
from grader_pipeline.partitions import SchoolDay, day_of, days_partitions
from grader_pipeline.reports.rollups import has_rollup, roll_up
from grader_pipeline.reports.stored_days import before_load, open_calendar, roll_up_changed_days
from grader_pipeline.resources.learner_lists import (
    LEARNERS,
    excluded_learners,
    forgotten_learners,
    note,
)
from grader_pipeline.resources.migrations import advice, new_schema_differences
from grader_pipeline.resources.postgres import Connection, Postgres, copy_in
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

TABLE_COLUMNS = column_schema(
    id=("serial", "Primary key."),
    **{column.name: (column.postgres_type, column.description) for column in COLUMNS},
)

_OTHERS = [name for name in NAMES if name not in KEY]


class OnConflict(Enum):
    """What to do with a stored attempt if the API now sends another version of it.

    Members are lower case because run config names them.
    """

    nothing = "nothing"
    update = "update"


class LoadConfig(dg.Config):
    """The run config of grader_table."""

    on_conflict: OnConflict = OnConflict.nothing


@dg.asset(
    description=__doc__,
    group_name=GROUP,
    kinds={"postgres", "table"},
    partitions_def=days_partitions(),
    check_specs=checks.specs(GRADER_TABLE),
    metadata={"dagster/column_schema": TABLE_COLUMNS, "dagster/table_name": "grader"},
)
def grader_table(
    context: dg.AssetExecutionContext,
    config: LoadConfig,
    validated_attempts: UPath,
    postgres: Postgres,
) -> dg.MaterializeResult:
    """Load the day; see the module's text."""
    day = day_of(context)
    log.info("grader_table %s: start", day.key)
    started = time.monotonic()
    try:
        with (
            postgres.holding(LEARNERS, shared=True),
            open_file(validated_attempts) as file,
            opened(file) as parquet,
            postgres.transaction(lock=f"grader/{day.key}") as db,
        ):
            if differences := new_schema_differences(db):
                _refuse(context, db, differences)
            _refuse_forgotten(db, parquet, day)
            open_calendar(db)
            before = before_load(db, day)
            _load(db, parquet, day, context.run.run_id, config.on_conflict, before)
            ledger = read_ledger(db, day)
    except DamagedFileError as error:
        raise PermanentFailure(
            f"The validated attempts of {day.key} {error}. Materialize validated_attempts again."
        ) from error
    redone = roll_up_changed_days(postgres)
    seconds = time.monotonic() - started
    log.info(
        "grader_table %s: %d loaded, %d already there, %d updated, %d differing in %.1f s",
        day.key, ledger["loaded"], ledger["already_there"], ledger["updated"], ledger["differing"],
        seconds,
    )  # fmt: skip
    result: dg.MaterializeResult = dg.MaterializeResult(
        metadata={**grader_table_metadata(ledger), "seconds": seconds},
        check_results=checks.results(GRADER_TABLE, checks.LoadedDay(ledger, [], before, redone)),
    )
    return metadata_once(context, result)


def _refuse_forgotten(db: Connection, parquet: pq.ParquetFile, day: SchoolDay) -> None:
    """The commands of this release leave no such file. A restored backup may have one."""
    forgotten = forgotten_learners(db)
    if forgotten and has_forgotten(parquet, forgotten):
        raise PermanentFailure(
            f"The validated attempts of {day.key} have a learner who was forgotten. Repeat "
            "`grader-pipeline learner forget` with the learner's id, or materialize raw_attempts "
            "and validated_attempts of that day again."
        )


def load_statement(name: str) -> sql.Composed:
    """``sql/load/<name>.sql`` with the columns of an attempt in place of its placeholders."""
    return sql.SQL(statement(f"load/{name}").decode()).format(
        columns=_listed(NAMES),
        other_columns=_listed(_OTHERS),
        stored_other_columns=_listed(_OTHERS, "stored"),
        staged_other_columns=_listed(_OTHERS, "staged"),
    )


def _refuse(
    context: dg.AssetExecutionContext, db: Connection, differences: Sequence[str]
) -> NoReturn:
    """Record that table_schema failed, and raise before anything is stored."""
    facts = checks.LoadedDay({}, differences, checks.StoredBefore(0, None, 0))
    (failed,) = checks.results(GRADER_TABLE, facts, checks.table_schema)
    step = context.op_execution_context.get_step_execution_context()
    context.log_event(failed.to_asset_check_evaluation(step))
    raise PermanentFailure(advice(db, differences))


@dataclass(frozen=True)
class _Loaded:
    """What became of the day's attempts; and they, if the table holds exactly them."""

    loaded: int
    already_there: int = 0
    differing: int = 0
    updated: int = 0
    rollup: DayRollup | None = None


def _load(
    db: Connection,
    parquet: pq.ParquetFile,
    day: SchoolDay,
    run_id: str,
    on_conflict: OnConflict,
    before: checks.StoredBefore,
) -> None:
    tally = tally_of(parquet)
    db.execute(statement("load/leave_no_marks"))
    new = None if before.attempts else _copy_new_day(db, parquet)
    done = new or _merge(db, parquet, day, on_conflict)
    with ThreadPoolExecutor(1) as thread:
        rollup = thread.submit(done.rollup.summed_up) if done.rollup else None
        db.execute(statement("load/stage_rejected"))
        copy_in(db, statement("load/copy_rejected"), quarantine(parquet))
        db.execute(statement("load/forget_rejected"), day.parameters)
        db.execute(statement("load/keep_rejected"), day.parameters)
    ledger = {
        **day.parameters,
        "run_id": run_id,
        "received": tally.received,
        "loaded": done.loaded,
        "already_there": done.already_there,
        "updated": done.updated,
        "differing": done.differing,
        "duplicates": tally.duplicates,
        "rejected": tally.rejected,
        "body_sha256": tally.body_sha256,
    }
    db.execute(statement("load/write_ledger"), ledger)
    db.execute(statement("load/note_load"), ledger)
    if on_conflict is OnConflict.update:
        note(db, "update", done_by=run_id, days=[day.date])
    if done.loaded + done.updated > 0 or before.was_changed or not has_rollup(db, day):
        roll_up(db, day, rollup.result() if rollup else None)


def _copy_new_day(db: Connection, parquet: pq.ParquetFile) -> _Loaded | None:
    """Copy the attempts straight into the table, which had none of the day.

    None, and nothing done, if somebody else stores one of them at the same time: COPY waits for
    that transaction, and fails. Attempts that only the other stores leave marks that this load does
    not take: the day is rolled up again.
    """
    rollup = DayRollup(excluded_learners(db))
    tables = (table.drop_columns("position") for table in rollup.adding(attempts(parquet)))
    try:
        with db.transaction():
            copied = copy_in(db, load_statement("copy_new_day"), tables)
    except UniqueViolation:
        return None
    return _Loaded(loaded=copied, rollup=rollup)


def _merge(
    db: Connection, parquet: pq.ParquetFile, day: SchoolDay, on_conflict: OnConflict
) -> _Loaded:
    """Store the attempts that the table lacks, and compare those that it has."""
    db.execute(load_statement("stage_attempts"))
    copy_in(db, statement("load/copy_attempts"), attempts(parquet))
    loaded = db.execute(load_statement("insert_new"), day.parameters).rowcount
    db.execute(load_statement("find_twins"), day.parameters)
    twins = db.execute(statement("load/count_twins")).fetchone() or {}
    updated = 0
    if on_conflict is OnConflict.update:
        updated = db.execute(load_statement("update_differing")).rowcount
    return _Loaded(loaded, twins["already_there"], twins["differing"] - updated, updated)


def _listed(names: Sequence[str], *table: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*table, name) for name in names)

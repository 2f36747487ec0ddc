"""The day's attempts, typed and clean; and everything else the API sent, with its reasons.

The stored answer goes through one pandera schema in batches. Every element keeps its place: as an
attempt, or as a refused element with its reasons and its text, for quarantine. Before anything is
loaded, blocking checks compare the share of rejected elements and the day's volume with their
bounds. If one fails on a day that is right, such as a holiday, run config "accept_day: true" lets
the day of this run pass. The failed check is then a warning.

Source: raw_attempts. Times are UTC.
"""

import logging
import time
from collections.abc import Iterable, Iterator

import dagster as dg
from pydantic import Field
from upath import UPath

from grader_pipeline import checks, disk, full_disk
from grader_pipeline.asset_names import VALIDATED_ATTEMPTS
from grader_pipeline.assets import GROUP, column_schema, metadata_once
from grader_pipeline.attempts.columns import ATTEMPT_TYPES, COLUMNS
from grader_pipeline.attempts.response import NotAListError, unpacked
from grader_pipeline.attempts.validation import validate
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.object_store import open_file
from grader_pipeline.partitions import day_of, days_partitions
from grader_pipeline.resources.learner_lists import LEARNERS
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

log = logging.getLogger(__name__)

_BLOCKS = dg.AssetCheckSeverity.ERROR
_ACCEPTED = "Run config `accept_day: true` let the day pass."
_HOW_TO_ACCEPT = (
    "If the day is right, such as a holiday, run it with run config "
    "`ops: {validated_attempts: {config: {accept_day: true}}}`."
)

FILE_COLUMNS = column_schema(
    position=("int", "Place in the API's answer, from 0."),
    **{column.name: (str(column.kind.arrow), column.description) for column in COLUMNS},
    reasons=("list<string>", "Why the element was refused; null for an attempt."),
    row=("string", "A refused element as received; null for an attempt."),
)


class ValidationConfig(dg.Config):
    """The run config of validated_attempts."""

    accept_day: bool = Field(
        default=False, description="Blocking checks of validated_attempts only warn."
    )


@dg.asset(
    description=__doc__,
    group_name=GROUP,
    kinds={"pandas", "parquet"},
    partitions_def=days_partitions(),
    io_manager_key="storage",
    check_specs=checks.specs(VALIDATED_ATTEMPTS),
    metadata={"dagster/column_schema": FILE_COLUMNS},
)
def validated_attempts(
    context: dg.AssetExecutionContext,
    config: ValidationConfig,
    raw_attempts: UPath,
    postgres: Postgres,
) -> Iterator[dg.MaterializeResult]:
    """Validate the day; see the module's text."""
    day, settings = day_of(context), Settings()
    log.info("validated_attempts %s: start", day.key)
    started = time.monotonic()
    with (
        full_disk.temporary_folder("grader-validated-") as folder,
        # Until the file is stored.
        postgres.holding(LEARNERS, shared=True),
    ):
        file = folder / "attempts.parquet"
        try:
            with unpacked(open_file(raw_attempts)) as body:
                tally = validate(
                    body, day, file, require_outcome_url=settings.grader_require_outcome_url
                )
        except (NotAListError, OSError) as error:
            if isinstance(error, OSError) and disk.is_full(error):
                raise
            raise PermanentFailure(
                f"The stored answer of {day.key} {error}. Materialize raw_attempts again."
            ) from error
        with postgres.transaction() as db:
            weeks = db.execute(statement("checks/weekday_volumes"), {"day": day.date}).fetchall()
        volumes = {
            column: [week[column] for week in weeks if week[column] is not None]
            for column in ("volume", *ATTEMPT_TYPES)
        }
        facts = checks.ValidatedDay(tally, day, volumes.pop("volume"), settings, volumes)
        found = checks.results(VALIDATED_ATTEMPTS, facts)
        let_pass = _blocking_failures(found) if config.accept_day else {}
        for name, text in let_pass.items():
            log.warning(
                "validated_attempts %s: check %s failed: %s %s", day.key, name, text, _ACCEPTED
            )
        seconds = time.monotonic() - started
        log.info(
            "validated_attempts %s: %d received, %d valid, %d duplicates, %d rejected in %.1f s",
            day.key, tally.received, tally.valid, tally.duplicates, tally.rejected, seconds,
        )  # fmt: skip
        result: dg.MaterializeResult = dg.MaterializeResult(
            value=file,
            metadata={
                "dagster/row_count": tally.valid,
                "received": tally.received,
                "duplicates": tally.duplicates,
                "rejected": tally.rejected,
                "reasons": dg.MetadataValue.json(tally.reasons),
                **({"let pass by accept_day": dg.MetadataValue.json(let_pass)} if let_pass else {}),
                "seconds": seconds,
            },
            check_results=[_decided(check, accept_day=config.accept_day) for check in found],
        )
        yield metadata_once(context, result)


def _blocking_failures(found: Iterable[dg.AssetCheckResult]) -> dict[str, str]:
    """What the failed blocking checks found, by their names."""
    return {
        str(check.check_name): check.description or ""
        for check in found
        if not check.passed and check.severity is _BLOCKS
    }


def _decided(check: dg.AssetCheckResult, *, accept_day: bool) -> dg.AssetCheckResult:
    """A failed blocking check also says how to let the day pass, or warns that it was let pass."""
    if not _blocking_failures([check]):
        return check
    severity = dg.AssetCheckSeverity.WARN if accept_day else _BLOCKS
    text = f"{check.description} {_ACCEPTED if accept_day else _HOW_TO_ACCEPT}"
    return check._replace(severity=severity, description=text)

"""Assembles the code location: its assets, jobs, schedules, sensors and resources.

Dagster loads this module. Tests call :func:`build_defs` with resources of their own.
"""

import gc

# What imports make lives until the process ends. Collections while importing took 0.4 s of 1.7 s
# of CPU. prepare_process() below sets what holds from then on.
gc.set_threshold(10_000_000)

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from grader_pipeline.assets.step1_raw_attempts import raw_attempts
from grader_pipeline.assets.step2_validated_attempts import validated_attempts
from grader_pipeline.assets.step3_grader_table import grader_table
from grader_pipeline.assets.step4_metrics import REPORTS, metrics
from grader_pipeline.assets.step5_sheet_report import sheet_report
from grader_pipeline.failures import record_failure
from grader_pipeline.mail.resource import Mail, mail_place
from grader_pipeline.mail.sensor import mail_sensor
from grader_pipeline.prune import afternoon, prune_job
from grader_pipeline.refresh import refresh, waiting_days_sensor
from grader_pipeline.resources.database_url import database_place
from grader_pipeline.resources.grader_api import GraderApi, api_place
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.schedule import day_job, morning
from grader_pipeline.settings import CODE_REFERENCES, Settings
from grader_pipeline.sheet.resource import Sheets, sheet_place
from grader_pipeline.startup import prepare_process
from grader_pipeline.storage import DayFiles, storage_place

ASSETS = (raw_attempts, validated_attempts, grader_table, metrics, sheet_report)


def build_defs(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The whole code location, with some of its resources replaced.

    Raises ``pydantic.ValidationError`` naming the settings that cannot be used.
    """
    settings = Settings()
    resources = {
        "grader_api": GraderApi(where=api_place(settings)),
        "postgres": Postgres(where=database_place(settings)),
        "sheets": Sheets(where=sheet_place(settings)),
        "mail": Mail(where=mail_place(settings)),
        "storage": DayFiles(where=storage_place(settings)),
    }
    owners, tags = settings.grader_owners, settings.grader_tags
    assets: Sequence[Any] = dg.map_asset_specs(
        lambda spec: spec.merge_attributes(owners=owners, tags=tags),
        [asset.with_hooks({record_failure}) for asset in ASSETS],
    )
    if CODE_REFERENCES in os.environ:
        with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
            assets = dg.with_source_code_references(dg.map_asset_specs(_with_file, assets))
    return dg.Definitions(
        assets=assets,
        jobs=[day_job, prune_job, refresh],
        schedules=[morning, afternoon],
        sensors=[mail_sensor, waiting_days_sensor],
        resources={**resources, **(resource_overrides or {})},
        # One process a run. Days run in parallel, the steps of a day do not.
        executor=dg.in_process_executor,
    )


def _with_file(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Link a report to its file of SQL."""
    report = REPORTS.get(spec.key.to_user_string())
    if report is None:
        return spec
    file = dg.LocalFileCodeReference(file_path=str(report.path), label=report.path.name)
    references = dg.CodeReferencesMetadataValue(code_references=[file])
    return spec.merge_attributes(metadata={"dagster/code_references": references})


# For a process of Dagster, loading this module is the start.
prepare_process()
defs = build_defs()

"""Assembles the code location: its assets, jobs, schedules, sensors and resources.

Dagster loads this module. Tests call :func:`build_defs` with resources of their own.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from grader_pipeline.assets.step1_raw_attempts import raw_attempts
from grader_pipeline.assets.step2_validated_attempts import validated_attempts
from grader_pipeline.assets.step3_grader_table import grader_table
from grader_pipeline.assets.step4_metrics import metrics
from grader_pipeline.assets.step5_sheet_report import sheet_report
from grader_pipeline.failures import record_failure
from grader_pipeline.mail.resource import Mail
from grader_pipeline.mail.sensor import mail_sensor
from grader_pipeline.resources.grader_api import GraderApi
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.schedule import day_job, morning
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.startup import prepare_process
from grader_pipeline.storage import DayFiles

ASSETS = (raw_attempts, validated_attempts, grader_table, metrics, sheet_report)


def build_defs(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The whole code location, with some of its resources replaced."""
    resources = {
        "grader_api": GraderApi(),
        "postgres": Postgres(),
        "sheets": Sheets(),
        "mail": Mail(),
        "storage": DayFiles(),
    }
    return dg.Definitions(
        assets=[asset.with_hooks({record_failure}) for asset in ASSETS],
        jobs=[day_job],
        schedules=[morning],
        sensors=[mail_sensor],
        resources={**resources, **(resource_overrides or {})},
        # One process a run: what a run starts ends with it, and days are what runs in parallel.
        executor=dg.in_process_executor,
    )


# For a process of Dagster, loading this module is the start.
prepare_process()
defs = build_defs()

"""A code location with the mail sensor and two assets that do nothing."""

import dagster as dg

from grader_pipeline.mail.resource import Mail
from grader_pipeline.mail.sensor import mail_sensor
from grader_pipeline.resources.postgres import Postgres

DAYS = dg.DailyPartitionsDefinition("2023-04-01")


@dg.asset(partitions_def=DAYS)
def raw_attempts() -> None: ...


@dg.asset(partitions_def=DAYS, deps=[raw_attempts])
def sheet_report() -> None: ...


defs = dg.Definitions(
    assets=[raw_attempts, sheet_report],
    sensors=[mail_sensor],
    resources={"postgres": Postgres(), "mail": Mail()},
    executor=dg.in_process_executor,
)

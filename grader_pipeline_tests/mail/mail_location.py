"""A code location with the mail sensor and two assets that do nothing.

With MAIL_TEST_FOLDER, a run removes the file ``trouble`` there and fails, or waits while the file
``pause`` is there.
"""

import os
import time
from pathlib import Path

import dagster as dg

from grader_pipeline.mail.resource import Mail
from grader_pipeline.mail.sensor import mail_sensor
from grader_pipeline.resources.postgres import Postgres

DAYS = dg.DailyPartitionsDefinition("2023-04-01")


@dg.asset(partitions_def=DAYS)
def raw_attempts() -> None:
    if not (folder := os.environ.get("MAIL_TEST_FOLDER")):
        return
    trouble, pause = Path(folder, "trouble"), Path(folder, "pause")
    if trouble.exists():
        trouble.unlink()
        raise RuntimeError("odd")
    while pause.exists():
        time.sleep(0.1)


@dg.asset(partitions_def=DAYS, deps=[raw_attempts])
def sheet_report() -> None: ...


defs = dg.Definitions(
    assets=[raw_attempts, sheet_report],
    sensors=[mail_sensor],
    resources={"postgres": Postgres(), "mail": Mail()},
    executor=dg.in_process_executor,
)

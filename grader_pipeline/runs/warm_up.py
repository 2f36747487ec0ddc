"""Does once, before the run server forks, what each run would do slowly for the first time.

A run imports late, resolves its job, compiles rules and fills caches. So this validates a sample
attempt and writes a workbook, in a temporary folder. It leaves memory only: no thread and no
connection, because a fork would not have them.
"""

import datetime as dt
import importlib
import io
import tempfile
from pathlib import Path

from grader_pipeline.attempts.validation import validate
from grader_pipeline.logs import without_secrets
from grader_pipeline.partitions import SchoolDay
from grader_pipeline.schedule import day_job
from grader_pipeline.settings import Settings
from grader_pipeline.sheet import workbook
from grader_pipeline.sheet.table import DATE, Chart, Column, Table

_IMPORTED_LATE = (
    # Imported by Dagster with an instance and the execution of a plan.
    "dagster._cli",
    "dagster._core.execution.plan.active",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.noop_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.system_config.composite_descent",
    "dagster._core.workspace.autodiscovery",
    # By urllib, for the name of the API's host.
    "encodings.idna",
    "grader_pipeline.runs.instance_storage",
    "psycopg2.extras",
    "upath.implementations.local",
)

# Not from the settings: GRADER_START_DATE may be later.
_MIDNIGHT = dt.datetime(2023, 5, 31, tzinfo=dt.UTC)
_DAY = SchoolDay(_MIDNIGHT.date(), _MIDNIGHT, _MIDNIGHT + dt.timedelta(days=1))


def warm_up() -> None:
    """Do the work of a run's steps once, on almost no data."""
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    # Compiles what finds secrets in a line of the log.
    without_secrets("", Settings())
    if Settings().has_google_sheet:
        importlib.import_module("grader_pipeline.sheet.google.opening")
    definitions = importlib.import_module("grader_pipeline.definitions")
    definitions.defs.resolve_job_def(day_job.name)
    with tempfile.TemporaryDirectory() as folder:
        # An element that is refused needs what a valid one needs, and the reasons.
        validate(io.BytesIO(b"[{}]"), _DAY, Path(folder) / "attempts.parquet")
        table = Table((DATE, Column("y", 1)), ((_DAY.date, 1),), chart=Chart("", "line", 0, (1,)))
        for _ in ("made", "read again"):
            workbook.show(Path(folder) / "book.xlsx", [("x", table)])

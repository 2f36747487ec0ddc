"""What the run server does before it forks."""

import json
import os
import subprocess
import sys

from grader_pipeline.attempts.schema import check_types
from grader_pipeline.runs.warm_up import warm_up
from grader_pipeline_tests.attempts.validated_day import validated
from grader_pipeline_tests.grader import attempt

BEFORE_AND_AFTER = """
import json, psutil
import grader_pipeline.runs.warm_up as warm

def has():
    process = psutil.Process()
    return [process.num_threads(), len(process.net_connections()), len(process.children())]

before = has()
warm.warm_up()
print(json.dumps([before, has()]))
"""


def test_warming_up_leaves_no_thread_connection_or_process_that_a_fork_would_lack() -> None:
    # Whatever the settings are, and with nothing there to connect to.
    settings = {"GRADER_START_DATE": "2025-01-01", "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", BEFORE_AND_AFTER],
        env={**os.environ, **settings}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    before, after = json.loads(done.stdout)
    assert after == before


def test_a_run_finds_the_types_of_its_day_already_checked() -> None:
    check_types.cache_clear()
    warm_up()
    checked = check_types.cache_info().misses
    validated([attempt(), attempt("no time"), {"user": "nobody"}])
    assert (checked, check_types.cache_info().misses) == (1, 1)

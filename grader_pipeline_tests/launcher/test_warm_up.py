"""What the run server does before it forks."""

import json
import subprocess
import sys

BEFORE_AND_AFTER = """
import json, psutil
import grader_pipeline.launcher.warm_up as warm

def has():
    process = psutil.Process()
    return [process.num_threads(), len(process.net_connections()), len(process.children())]

before = has()
warm.warm_up()
print(json.dumps([before, has()]))
"""


def test_warming_up_leaves_no_thread_connection_or_process_that_a_fork_would_lack() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEFORE_AND_AFTER], check=True, capture_output=True, text=True
    )
    before, after = json.loads(done.stdout)
    assert after == before

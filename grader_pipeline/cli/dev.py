"""``grader-pipeline dev``: the Dagster UI with everything behind it, until it is stopped."""

import time

from grader_pipeline.local.stack import running
from grader_pipeline.settings import Settings


def dev(settings: Settings, host: str, port: int) -> None:
    """Serve the UI until Stopped is raised.

    Raises LauncherError when something does not start, or dies again and again.
    """
    with running(settings, host, port) as stack:
        stack.start_daemon()
        print(f"Dagster is at {stack.url} - Ctrl+C stops it.", flush=True)
        while True:
            stack.services.check()
            time.sleep(0.5)

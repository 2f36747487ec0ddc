"""``grader-pipeline dev``: serves the Dagster UI, with everything it needs, until it is stopped."""

import argparse
import time

from grader_pipeline.cli import status
from grader_pipeline.local.code_watch import CodeWatch
from grader_pipeline.local.stack import running
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the UI listens, and whether it shows the demo."""
    parser.add_argument("--host", default="127.0.0.1", help="address of the UI")
    parser.add_argument("--port", type=int, default=3000, help="port of the UI")
    parser.add_argument("--demo", action="store_true", help="show the demo, whatever is set")


def run(chosen: argparse.Namespace) -> None:
    """Serve the UI until Stopped is raised.

    Raises LauncherError when a process does not start, or ends again right after its start.
    """
    with running(Settings(), chosen.host, chosen.port) as stack:
        stack.start_daemon()
        print(f"Dagster is at {stack.url} - Ctrl+C stops it.", flush=True)
        if error := stack.code_error():
            print(f"The code cannot be loaded. It is loaded again when it changes. {error}")
        _say_status()
        watch = CodeWatch(stack.services)
        while True:
            stack.services.check()
            watch.look()
            time.sleep(0.5)


def _say_status() -> None:
    """What `grader-pipeline status` shows. If it cannot be shown, the UI is served all the same."""
    try:
        status.show(have_just_started=True)
    except LauncherError as error:
        print(error)
    print(end="", flush=True)

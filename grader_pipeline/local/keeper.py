"""Kills everything its command started when the command, or the launcher, ends.

``python -m grader_pipeline.local.keeper ARGUMENTS…`` runs Python with these arguments. The launcher
starts it, and it starts the run server. Runs are children of the run server, so they get no signal
from the kernel when the launcher is killed. This process gets one, and ends them.
"""

import os
import signal
import sys

from grader_pipeline.local import processes
from grader_pipeline.local.errors import Stopped, stop_on_signals

REPORT_SECONDS = 10
"""Seconds in which a run can report that it was interrupted."""


def main() -> int:
    """Run the command, then end all that it started. Gives the command's exit code."""
    stop_on_signals()
    try:
        command = processes.start(
            [sys.executable, *sys.argv[1:]],
            environment=os.environ,
            output=sys.stdout.buffer,
            own_session=False,
        )
        return command.wait()
    except Stopped:
        return 128 + signal.SIGTERM
    finally:
        processes.end_session(os.getsid(0), patience=REPORT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())

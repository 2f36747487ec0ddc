"""Runs Python with arguments and sees that nothing it has started outlives it, or the launcher.

``python -m grader_pipeline.local.keeper ARGUMENTS…`` stands between the launcher and the run
server. Runs are children of that server, so the kernel does not tell them when the launcher is
killed. It tells this process, which ends them.
"""

import os
import signal
import sys

from grader_pipeline.local import processes
from grader_pipeline.local.errors import Stopped, stop_on_signals

PATIENCE = 10
"""Seconds for a run to report that it was interrupted."""


def main() -> int:
    """Run the command, and end all that came of it; gives its exit code."""
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
        processes.end_session(os.getsid(0), patience=PATIENCE)


if __name__ == "__main__":
    sys.exit(main())

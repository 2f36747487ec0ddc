"""The worker: it executes runs. On one machine it is the run server, which forks each run.

With GRADER_BROKER_URL it is Celery's worker: see ``runs/celery_worker.py``. Without it, this
process is the run server's keeper: it kills everything that the run server started when the run
server, or this process, ends. Runs are children of the run server, so they get no signal from the
kernel when this process is killed.
"""

import os
import sys
import time
from collections.abc import Callable

from grader_pipeline.roles import places, processes
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.home_lock import sole_owner
from grader_pipeline.roles.lease import installation_key, sole_installation
from grader_pipeline.roles.start import run_role
from grader_pipeline.settings import Settings

SLOTS = 4
"""Runs at once of a worker of Celery, if --slots does not say."""

REPORT_SECONDS = 10
"""Seconds in which a run can report that it was interrupted."""


def serve(settings: Settings, slots: int | None = None) -> None:
    """Execute runs until a signal ends this process. Runs that are under way are interrupted.

    ``slots`` is how many runs a worker of Celery executes at once.

    Raises LauncherError when the run server ends, this GRADER_HOME has one already, another
    installation works on the database, or there are slots without a broker.
    """
    if settings.grader_broker_url is not None:
        run_role(settings, lambda _: _serve_celery(slots or SLOTS))
    elif slots is not None:
        raise LauncherError(
            "--slots is for a worker of GRADER_BROKER_URL, which is not set. On one machine "
            "max_concurrent_runs of dagster.yaml says how many runs there are at once."
        )
    else:
        run_role(settings, lambda _: _serve(settings))


def _serve(settings: Settings) -> None:
    home = settings.grader_home
    processes.make_socket_folder(home, places.SOCKETS, os.geteuid())
    url = places.required_url(settings)
    with (
        sole_owner(settings.dagster_home / "worker"),
        sole_installation(url, installation_key(home), home) as lease,
    ):
        keep(
            ["-m", "grader_pipeline.runs.run_server", str(places.run_socket(settings))],
            require=lease.require,
        )


def _serve_celery(slots: int) -> None:
    # Only now: Celery is not installed where no broker is.
    from grader_pipeline.runs.celery_worker import Worker  # noqa: PLC0415

    if code := Worker(slots).serve():
        raise LauncherError(f"Celery's worker ended with {code}. The lines above say why.")


def keep(arguments: list[str], *, require: Callable[[], object] = lambda: None) -> None:
    """Run Python with these arguments. When it or this ends, end all that it started.

    ``require`` raises LauncherError when it may not go on.
    """
    # In this process's own session the launcher finds what is left. A shell's has more than runs.
    has_session = os.getsid(0) == os.getpid()
    command = processes.start(
        [sys.executable, *arguments],
        environment=os.environ,
        output=sys.stdout.buffer,
        own_session=not has_session,
    )
    try:
        while (code := command.poll()) is None:
            require()
            time.sleep(0.5)
    finally:
        processes.end_session(os.getsid(0) if has_session else command.pid, patience=REPORT_SECONDS)
    raise LauncherError(f"The run server ended with {code}. The lines above say why.")

"""Serves the application of ``app.py``, as ``dagster-webserver`` with its defaults does.

The instance is that of DAGSTER_HOME.
"""

from pathlib import Path

import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from grader_pipeline.ui.app import app

DEFAULT_HOST: str = cli.DEFAULT_WEBSERVER_HOST

_GRACE_SECONDS = 5
"""How long requests that are under way may take, once a signal has come."""


def serve(host: str, port: int, workspace: Path, *, read_only: bool) -> None:
    """Serve the UI at this address until a signal ends it.

    ``workspace`` is the file that names the code servers. ``read_only``: it starts and changes
    nothing, as Dagster's own read-only mode.
    """
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(
            cli.DEFAULT_DB_STATEMENT_TIMEOUT,
            cli.DEFAULT_POOL_RECYCLE,
            cli.DEFAULT_POOL_MAX_OVERFLOW,
        )
        target = WorkspaceFileTarget(paths=[str(workspace)])
        with WorkspaceProcessContext(
            instance, target, version=__version__, read_only=read_only
        ) as process:
            dagsters = create_app_from_workspace_process_context(process, live_data_poll_rate=2000)
            uvicorn.run(
                app(dagsters, instance), host=host, port=port, log_level="warning",
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )  # fmt: skip

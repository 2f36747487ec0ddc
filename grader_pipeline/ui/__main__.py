"""``python -m grader_pipeline.ui``: serves the UI until a signal ends the process.

It does what ``dagster-webserver`` does with its defaults, and serves the application of
``app.py``. The instance is that of DAGSTER_HOME.
"""

import argparse

import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from grader_pipeline.settings import Settings
from grader_pipeline.startup import prepare_process
from grader_pipeline.ui import hosts
from grader_pipeline.ui.app import app


def main() -> None:
    """Serve the UI at the address of the arguments."""
    parser = argparse.ArgumentParser(prog="python -m grader_pipeline.ui")
    parser.add_argument("--host", default=cli.DEFAULT_WEBSERVER_HOST)
    parser.add_argument("--port", type=int, default=cli.DEFAULT_WEBSERVER_PORT)
    parser.add_argument("--workspace", required=True, help="the file that names the code servers")
    chosen = parser.parse_args()
    if refused := hosts.refusal(chosen.host, Settings().grader_ui_hosts):
        parser.error(refused)
    prepare_process()
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(
            cli.DEFAULT_DB_STATEMENT_TIMEOUT,
            cli.DEFAULT_POOL_RECYCLE,
            cli.DEFAULT_POOL_MAX_OVERFLOW,
        )
        target = WorkspaceFileTarget(paths=[chosen.workspace])
        with WorkspaceProcessContext(instance, target, version=__version__) as process:
            dagsters = create_app_from_workspace_process_context(process, live_data_poll_rate=2000)
            uvicorn.run(
                app(dagsters, instance), host=chosen.host, port=chosen.port, log_level="warning"
            )


if __name__ == "__main__":
    main()

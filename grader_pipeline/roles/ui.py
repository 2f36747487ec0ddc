"""The UI: Dagster's web application, with the pictures of the reports and /metrics."""

from functools import partial

from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.start import run_role
from grader_pipeline.settings import Settings
from grader_pipeline.ui import hosts, server


def serve(settings: Settings, host: str, port: int, *, read_only: bool) -> None:
    """Serve the UI until a signal ends this process.

    ``read_only`` is Dagster's own read-only mode: nobody starts or changes anything there.
    Raises LauncherError when other machines would reach it without GRADER_UI_HOSTS.
    """
    if refused := hosts.refusal(host, settings.grader_ui_hosts):
        raise LauncherError(refused)
    run_role(settings, partial(server.serve, host, port, read_only=read_only))

"""The database of commands that need no Dagster."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import dagster as dg

from grader_pipeline.local.embedded_postgres import embedded_postgres, running_url
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.settings import Settings


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The URL of DATABASE_URL or, if that is unset, of the embedded database.

    If another process runs the embedded one, this uses it too. Otherwise it runs until the block
    ends. Raises LauncherError if it cannot be started.
    """
    with ExitStack() as stack:
        if settings.database_url is not None:
            yield settings.database_url.get_secret_value()
        else:
            home = settings.grader_home
            yield running_url(home) or stack.enter_context(embedded_postgres(home))


@contextmanager
def opened(settings: Settings) -> Iterator[Postgres]:
    """The database of :func:`database_url`.

    Raises LauncherError, also in place of a Failure inside the block: the database cannot be used.
    """
    with database_url(settings) as url, closing(Postgres.at(url)) as postgres:
        try:
            yield postgres
        except dg.Failure as failure:
            raise LauncherError(failure.description or str(failure)) from None

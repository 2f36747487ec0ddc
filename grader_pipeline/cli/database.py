"""The database of commands that need no Dagster."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import dagster as dg

from grader_pipeline.local.embedded_postgres import embedded_postgres, running_url
from grader_pipeline.local.errors import LauncherError
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[Postgres]:
    """The database of DATABASE_URL or, if that is unset, the embedded one.

    If another process runs the embedded one, this uses it too. Raises LauncherError, also in place
    of a Failure inside the block: the database cannot be used.
    """
    with ExitStack() as stack:
        postgres = Postgres()
        if settings.database_url is None:
            home = settings.grader_home
            url = running_url(home) or stack.enter_context(embedded_postgres(home))
            postgres = Postgres.at(url)
        try:
            yield stack.enter_context(closing(postgres))
        except dg.Failure as failure:
            raise LauncherError(failure.description or str(failure)) from None

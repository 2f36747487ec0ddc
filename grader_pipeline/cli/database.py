"""The database of commands that need no Dagster."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext

import dagster as dg

from grader_pipeline.local.embedded_postgres import embedded_postgres
from grader_pipeline.local.errors import LauncherError
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[Postgres]:
    """The database of DATABASE_URL or, if that is unset, the embedded one.

    Raises LauncherError, also in place of a Failure inside the block: the database cannot be used,
    or `dev` uses the embedded one.
    """
    own = nullcontext() if settings.database_url else embedded_postgres(settings.grader_home)
    with own as url, closing(Postgres.at(url) if url else Postgres()) as postgres:
        try:
            yield postgres
        except dg.Failure as failure:
            raise LauncherError(failure.description or str(failure)) from None

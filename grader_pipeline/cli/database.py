"""The database of commands that need no Dagster."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

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
    with ExitStack() as stack:
        postgres = Postgres()
        if settings.database_url is None:
            postgres = Postgres.at(_embedded(stack, settings))
        try:
            yield stack.enter_context(closing(postgres))
        except dg.Failure as failure:
            raise LauncherError(failure.description or str(failure)) from None


def _embedded(stack: ExitStack, settings: Settings) -> str:
    try:
        return stack.enter_context(embedded_postgres(settings.grader_home))
    except LauncherError as error:
        raise LauncherError(
            f"{error} With DATABASE_URL set, this works while `grader-pipeline dev` runs."
        ) from None

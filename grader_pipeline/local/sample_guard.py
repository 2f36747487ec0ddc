"""Keeps the sample API's data out of the places where real data is expected."""

from grader_pipeline.local.database import connected
from grader_pipeline.local.errors import LauncherError
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.google import credentials


def refuse_real_readers(settings: Settings) -> None:
    """Raises LauncherError when colleagues would get sample numbers by mail or in their sheet."""
    if settings.has_real_api:
        return
    if settings.smtp_host is not None or credentials.is_configured(settings):
        raise LauncherError(
            "The sample API's numbers are made up, and SMTP_HOST, GOOGLE_SHEETS_CREDENTIALS or "
            "GOOGLE_SHEETS_ID is set: colleagues would get them. Unset these, or set "
            "GRADER_API_URL."
        )


def refuse_real_attempts(settings: Settings) -> None:
    """Raises LauncherError when sample attempts would be loaded among others.

    The database of DATABASE_URL must have no attempts. The embedded one may: it is the launcher's.
    """
    if settings.has_real_api or settings.database_url is None:
        return
    with connected(settings.database_url.get_secret_value()) as db:
        has_table = db.execute("SELECT FROM pg_class WHERE oid = to_regclass('grader')").rowcount
        if has_table and db.execute("SELECT FROM grader LIMIT 1").rowcount:
            raise LauncherError(
                "The demo's attempts are made up, and the database of DATABASE_URL holds some "
                "already. Unset DATABASE_URL for the demo, or name an empty database."
            )

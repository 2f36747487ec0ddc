"""Keeps the sample API's data out of the places where real data is expected."""

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

"""Keeps the sample API's data out of the places where real data is expected."""

from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.settings import Settings


def refuse_real_places(settings: Settings) -> None:
    """Raises LauncherError when sample days would reach colleagues, or places of real days."""
    if settings.has_real_api:
        return
    to_colleagues = settings.smtp_host is not None or bool(settings.channels)
    if to_colleagues or settings.has_google_sheet:
        raise LauncherError(
            "The sample API's numbers are made up, and SMTP_HOST, GRADER_CHANNELS, "
            "GOOGLE_SHEETS_CREDENTIALS or GOOGLE_SHEETS_ID is set: colleagues would get them. "
            "Unset these, or set GRADER_API_URL."
        )
    if settings.database_url is not None or settings.grader_storage is not None:
        raise LauncherError(
            "DATABASE_URL or GRADER_STORAGE is set and no real GRADER_API_URL: days of the sample "
            "API would be among the real ones. Set GRADER_API_URL, GRADER_API_CLIENT and "
            "GRADER_API_CLIENT_KEY. Or start `grader-pipeline dev --demo`: it shows sample days in "
            "a database of its own."
        )

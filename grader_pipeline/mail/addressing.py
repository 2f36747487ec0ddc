"""Who gets a mail, and where its links lead. Source: the settings."""

from collections.abc import Sequence

from grader_pipeline.channel_addresses import Channel
from grader_pipeline.mail.message import Links
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.setting_forms import CourseReader
from grader_pipeline.settings import Settings


def colleagues() -> Sequence[Mailbox | Channel]:
    """Those of MAIL_TO, and the channels of GRADER_CHANNELS."""
    settings = Settings()
    return (*settings.mail_to, *settings.channels)


def owners() -> Sequence[Mailbox]:
    """Those of MAIL_ON_FAILURE_TO, or else of MAIL_TO."""
    return Settings().mail_on_failure_to or Settings().mail_to


def course_readers() -> Sequence[CourseReader]:
    """Those of MAIL_COURSES, each with the ids of their courses."""
    return Settings().mail_courses


def links_to(page: str, sheet_url: str | None = None) -> Links:
    """Links to the sheet and to a page of Dagster's UI. A workbook has a path and no link."""
    settings = Settings()
    if sheet_url is None and settings.google_sheets_credentials and settings.google_sheets_id:
        sheet_url = f"https://docs.google.com/spreadsheets/d/{settings.google_sheets_id}"
    ui = settings.dagster_ui_url
    return Links(
        sheet_name=settings.google_sheets_name if sheet_url else str(settings.workbook.absolute()),
        sheet_url=sheet_url,
        run_url=f"{ui.rstrip('/')}/{page}" if ui else None,
    )

"""The sheet that colleagues read: a Google Sheet, or a workbook while none is connected.

Assets give tables (``sheet/table.py``) and get where the sheet is and whether anything was written.
They know nothing of Google or of files.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import dagster as dg
from filelock import FileLock, Timeout
from pydantic import Field

from grader_pipeline.failures import TransientFailure
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.header import find_header
from grader_pipeline.sheet.table import DAILY_COLUMNS, Table
from grader_pipeline.sheet.unchanged import is_shown, note_shown
from grader_pipeline.sheet.update import Written

if TYPE_CHECKING:
    from grader_pipeline.sheet.google.spreadsheet import Spreadsheet

_LOCK_SECONDS = 600
_PROBE_RETRY_SECONDS = 15


def sheet_place(settings: Settings) -> str:
    """The spreadsheet or the workbook, for Dagster's UI."""
    if not settings.has_google_sheet:
        return f"workbook {settings.workbook}"
    return f"Google spreadsheet {settings.google_sheets_id or settings.google_sheets_name}"


class Sheets(dg.ConfigurableResource["Sheets"]):
    """The Google Sheet of GOOGLE_SHEETS_CREDENTIALS or GOOGLE_SHEETS_ID; neither: the workbook."""

    where: str = Field(
        default="", description="The spreadsheet or workbook. The settings GOOGLE_SHEETS_… name it."
    )

    request_seconds: float = Field(
        default=60,
        description="The deadline of one request to Google, from connecting to the last byte.",
    )

    retry_seconds: float = Field(
        default=180,
        description="The deadline of a request with its retries: longer than the minute that "
        "renews quotas.",
    )

    def shown(self, made_of: str | None) -> Written | None:
        """If the workbook shows what is made of this, say so. None: it is to be written."""
        workbook = Settings().workbook
        if made_of is None or not is_shown(workbook, made_of):
            return None
        return Written(str(workbook), lines=0, cells=0, written=False)

    def show(
        self,
        tables: Sequence[Table],
        days: Collection[dt.date] | None = None,
        made_of: str | None = None,
    ) -> Written:
        """Make the sheet show the tables. Older days that it has stay.

        ``days`` are those that may have changed; None: all. ``made_of`` is for :meth:`shown`. A
        second call with the same tables writes nothing. Raises PermanentFailure or TransientFailure
        with what to do. The sheet then shows whole days, perhaps not yet all of them.
        """
        settings = Settings()
        name, worksheet = settings.google_sheets_name, settings.google_sheets_worksheet
        if settings.has_google_sheet:
            shown = self.upload_to_google_sheets(tables, name, worksheet, days)
        else:
            # openpyxl takes 0.1 s to import. Google Sheets do not need it.
            from grader_pipeline.sheet import workbook  # noqa: PLC0415

            with _alone(settings):
                shown = workbook.show(settings.workbook, _titled(tables, worksheet))
                with suppress(OSError):  # without the note, the next write reads the workbook
                    note_shown(settings.workbook, made_of) if made_of else None
        return shown

    def upload_to_google_sheets(
        self,
        results: Sequence[Table],
        spreadsheet_name: str,
        worksheet_name: str,
        days: Collection[dt.date] | None = None,
    ) -> Written:
        """Write tables to a Google spreadsheet, each day of them in one request.

        The spreadsheet is that of GOOGLE_SHEETS_ID, or, if that is unset, the one named
        ``spreadsheet_name``. Tables without a worksheet go to ``worksheet_name``. Missing
        worksheets are made; a missing spreadsheet is not. Raises PermanentFailure or
        TransientFailure.
        """
        settings = Settings()
        with _alone(settings):
            spreadsheet = self._spreadsheet(settings, spreadsheet_name, self.retry_seconds)
            return spreadsheet.show(_titled(results, worksheet_name), days)

    def probe(self) -> str:
        """Check that the sheet can be written, change nothing, and say so in a sentence.

        Raises PermanentFailure or TransientFailure with what is wrong and what to do.
        """
        settings = Settings()
        title, table = settings.google_sheets_worksheet, Table(DAILY_COLUMNS, ())
        if not settings.has_google_sheet:
            from grader_pipeline.sheet import workbook  # noqa: PLC0415

            found = workbook.probe(settings.workbook, title, table)
            find_header(DAILY_COLUMNS, found, f"the worksheet «{title}» of {settings.workbook}")
            return f"No Google Sheet is connected: the report goes to {settings.workbook}."
        retry_seconds = min(self.retry_seconds, _PROBE_RETRY_SECONDS)
        sheet = self._spreadsheet(settings, settings.google_sheets_name, retry_seconds)
        found = sheet.probe(title, table)
        find_header(DAILY_COLUMNS, found, f"the worksheet «{title}» of {sheet.name}")
        return f"{sheet.account} may write the Google spreadsheet «{sheet.name}»."

    def _spreadsheet(self, settings: Settings, name: str, retry_seconds: float) -> "Spreadsheet":
        # gspread and google-auth take 0.08 s to import. A workbook needs neither.
        from grader_pipeline.sheet.google.opening import open_spreadsheet  # noqa: PLC0415

        return open_spreadsheet(settings, name, self.request_seconds, retry_seconds)


def _titled(tables: Sequence[Table], worksheet: str) -> list[tuple[str, Table]]:
    return [(table.worksheet or worksheet, table) for table in tables]


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Allow one writer of the sheet at a time on this machine, among all processes."""
    settings.grader_home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.grader_home / ".sheet.lock", timeout=_LOCK_SECONDS):
            yield
    except Timeout:
        raise TransientFailure(
            "Another run has been writing the sheet for ten minutes. Nothing was written by this "
            "one. Run the day again when that has ended."
        ) from None

"""Opens the Google spreadsheet of the settings: the account, its requests, the file's id."""

import gspread
from gspread.http_client import ParamsType
from gspread.urls import DRIVE_FILES_API_V3_URL
from gspread.utils import MimeType

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.google.credentials import find_credentials
from grader_pipeline.sheet.google.http import GoogleHTTP
from grader_pipeline.sheet.google.refusals import explained
from grader_pipeline.sheet.google.spreadsheet import Spreadsheet


def open_spreadsheet(
    settings: Settings, name: str, request_seconds: float, retry_seconds: float
) -> Spreadsheet:
    """The spreadsheet of GOOGLE_SHEETS_ID, or, if that is unset, the one with that name.

    ``request_seconds`` is the deadline of a request, ``retry_seconds`` that with its retries.
    Raises PermanentFailure or TransientFailure with what is wrong and what to do.
    """
    credentials = find_credentials(settings)
    # The address to share the spreadsheet with.
    account = getattr(credentials, "service_account_email", None) or "the account in use"
    client = gspread.Client(credentials)
    client.http_client = GoogleHTTP(
        credentials, settings.google_sheets_api_url, request_seconds, retry_seconds
    )
    if ident := settings.google_sheets_id:
        return Spreadsheet(client, ident, ident, account)
    return Spreadsheet(client, _id_of(client, name, account), name, account)


def _id_of(client: gspread.Client, name: str, account: str) -> str:
    """Find the id of the spreadsheet of that name, bins left out.

    The account must see exactly one.
    """
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    query: ParamsType = {
        "q": f"mimeType = '{MimeType.google_sheets}' and name = '{quoted}' and trashed = false",
        "pageSize": "1000",
        "fields": "nextPageToken,files(id,name)",
        "supportsAllDrives": "true",
        "includeItemsFromAllDrives": "true",
    }
    files = []
    with explained(account, f"the spreadsheet «{name}» in Google Drive"):
        while True:
            page = client.http_client.request("get", DRIVE_FILES_API_V3_URL, params=query).json()
            files += page.get("files", [])
            if not page.get("nextPageToken"):
                break
            query["pageToken"] = page["nextPageToken"]
    same = [file for file in files if file["name"] == name]
    if len(same) == 1:
        return str(same[0]["id"])
    if not same:
        raise PermanentFailure(
            f"Not shared: {account} sees no spreadsheet named «{name}». Create it in Google "
            f"Sheets, share it with {account} as an editor, and set GOOGLE_SHEETS_ID to its id or "
            "GOOGLE_SHEETS_NAME to its name."
        )
    ids = ", ".join(sorted(str(file["id"]) for file in same))
    raise PermanentFailure(
        f"Several spreadsheets are named «{name}»: {ids}. None was touched. Set GOOGLE_SHEETS_ID "
        "to the one that is meant."
    )

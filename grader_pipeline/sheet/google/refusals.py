"""What a refusal of Google means and what to do about it: a text for each, with a name.

A used-up quota is a TransientFailure: a 429 that lasts (``http`` sends the request again for some
minutes), or Google's older 403.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.sheet.google.http import Refused

_QUOTA = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "quotaExceeded"}
_DISABLED = {"SERVICE_DISABLED", "accessNotConfigured"}
_SCOPES = {"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"}


@contextmanager
def explained(account: str, spreadsheet: str) -> Iterator[None]:
    """Raise a refusal as PermanentFailure or TransientFailure, with its meaning and what to do."""
    try:
        yield
    except Refused as refusal:
        text = next(meaning for applies, meaning in _MEANINGS if applies(refusal))
        text = text.format(account=account, spreadsheet=spreadsheet, status=refusal.status)
        said = f"Google said: {refusal.message}" if refusal.message else "Google gave no reason."
        kind = TransientFailure if text.startswith("Quota used up") else PermanentFailure
        raise kind(f"{text} {said}") from None


_MEANINGS: tuple[tuple[Callable[[Refused], bool], str], ...] = (
    (
        lambda it: it.status in {0, 401},
        "Key revoked: Google gives {account} no access token, so {spreadsheet} was not touched. "
        "Its key was deleted or has expired, the account is gone, or this machine's clock is "
        "wrong. Create a new JSON key and set GOOGLE_SHEETS_CREDENTIALS to it.",
    ),
    (
        lambda it: it.status == 429 or it.reason in _QUOTA,  # noqa: PLR2004
        "Quota used up: {account} has made too many requests, the last to {spreadsheet}. Run the "
        "day again in some minutes, or raise the quota in Google Cloud.",
    ),
    (
        lambda it: it.reason in _DISABLED or "has not been used in project" in it.message,
        "API disabled: the Google Cloud project of {account} has not switched on the API that "
        "{spreadsheet} is reached by. Enable the Google Sheets API there (and the Google Drive "
        "API, when the spreadsheet goes by its name), wait some minutes, and run the day again.",
    ),
    (
        lambda it: it.reason in _SCOPES,
        "Scopes missing: the credentials of {account} do not cover {spreadsheet}. Log in again "
        "with the scopes of Google Sheets and Drive, or use a service account key.",
    ),
    (
        lambda it: it.status in {400, 403} and "protected cell" in it.message,
        "Protected: {account} may not edit our columns of {spreadsheet}. Add the account to the "
        "editors of the protected range, or lift the protection.",
    ),
    (
        lambda it: it.status == 403 and it.writing,  # noqa: PLR2004
        "Read-only: {account} may read {spreadsheet} but not write it. Share the spreadsheet with "
        "that address as an editor.",
    ),
    (
        lambda it: it.status == 403,  # noqa: PLR2004
        "Not shared: {account} may not open {spreadsheet}. Share the spreadsheet with that address "
        "as an editor.",
    ),
    (
        lambda it: it.status == 404,  # noqa: PLR2004
        "Wrong id: {account} finds no {spreadsheet}. Check GOOGLE_SHEETS_ID: it is the part of the "
        "spreadsheet's address between /d/ and /edit.",
    ),
    (
        lambda it: "not supported for this document" in it.message,
        "Not a Google Sheet: {spreadsheet} is an uploaded office file, which {account} cannot "
        "write. Open it in Google Sheets, save it as a Google Sheet, and set GOOGLE_SHEETS_ID to "
        "the new one.",
    ),
    (
        lambda _: True,
        "Google refused the request to {spreadsheet} with status {status}, account {account}. The "
        "sheet was left as it was.",
    ),
)

"""What a refusal of Google means and what to do about it: a name and a text for each.

A 429 does not come here: ``http`` sends the request again. Google's older 403 for a used-up quota
does, and is a TransientFailure.
"""

from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.sheet.google.http import Refused

_QUOTA = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "quotaExceeded"}
_DISABLED = {"SERVICE_DISABLED", "accessNotConfigured"}
_SCOPES = {"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"}


@dataclass(frozen=True)
class Access:
    """What Google refused: to which account, on which spreadsheet, and whether it was a write."""

    account: str
    spreadsheet: str
    writing: bool = False


def explained(refusal: Refused, access: Access) -> dg.Failure:
    """Turn a refusal into the failure to raise."""
    who, what = access.account, access.spreadsheet
    said = f"Google said: {refusal.message}" if refusal.message else "Google gave no reason."
    for applies, name, advice in _MEANINGS:
        if applies(refusal, access):
            text = f"{name}: {advice.format(account=who, spreadsheet=what)} {said}"
            return TransientFailure(text) if name == "Quota used up" else PermanentFailure(text)
    return PermanentFailure(
        f"Google refused the request to {what} with status {refusal.status}, account {who}. "
        f"The sheet was left as it was. {said}"
    )


def _reason(*words: str) -> Callable[[Refused, Access], bool]:
    return lambda refusal, _access: refusal.reason in words


_MEANINGS: tuple[tuple[Callable[[Refused, Access], bool], str, str], ...] = (
    (
        lambda refusal, _: refusal.status in {0, 401},
        "Key revoked",
        "Google gives {account} no access token, so {spreadsheet} was not touched. Its key was "
        "deleted or has expired, the account is gone, or this machine's clock is wrong. Create a "
        "new JSON key and set GOOGLE_SHEETS_CREDENTIALS to it.",
    ),
    (
        _reason(*_QUOTA),
        "Quota used up",
        "{account} has made too many requests, the last to {spreadsheet}. Run the day again in "
        "some minutes, or raise the quota in Google Cloud.",
    ),
    (
        lambda refusal, _: (
            refusal.reason in _DISABLED or "has not been used in project" in refusal.message
        ),
        "API disabled",
        "the Google Cloud project of {account} has not switched on the API that {spreadsheet} is "
        "reached by. Enable the Google Sheets API there (and the Google Drive API, when the "
        "spreadsheet goes by its name), wait some minutes, and run the day again.",
    ),
    (
        _reason(*_SCOPES),
        "Scopes missing",
        "the credentials of {account} do not cover {spreadsheet}. Log in again with the scopes "
        "of Google Sheets and Drive, or use a service account key.",
    ),
    (
        lambda refusal, _: refusal.status in {400, 403} and "protected cell" in refusal.message,
        "Protected",
        "{account} may not edit our columns of {spreadsheet}. Add the account to the editors of "
        "the protected range, or lift the protection.",
    ),
    (
        lambda refusal, access: refusal.status == 403 and access.writing,  # noqa: PLR2004
        "Read-only",
        "{account} may read {spreadsheet} but not write it. Share the spreadsheet with that "
        "address as an editor.",
    ),
    (
        lambda refusal, _: refusal.status == 403,  # noqa: PLR2004
        "Not shared",
        "{account} may not open {spreadsheet}. Share the spreadsheet with that address as an "
        "editor.",
    ),
    (
        lambda refusal, _: refusal.status == 404,  # noqa: PLR2004
        "Wrong id",
        "{account} finds no {spreadsheet}. Check GOOGLE_SHEETS_ID: it is the part of the "
        "spreadsheet's address between /d/ and /edit.",
    ),
    (
        lambda refusal, _: "not supported for this document" in refusal.message,
        "Not a Google Sheet",
        "{spreadsheet} is an uploaded office file, which {account} cannot write. Open it in Google "
        "Sheets, save it as a Google Sheet, and set GOOGLE_SHEETS_ID to the new one.",
    ),
)

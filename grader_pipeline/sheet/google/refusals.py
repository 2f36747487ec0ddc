"""What a refusal of Google means, and the step that clears it. One sentence for each, by name."""

from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.sheet.google.http import Refused

_QUOTA = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "quotaExceeded"}
_DISABLED = {"SERVICE_DISABLED", "accessNotConfigured"}
_SCOPES = {"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"}


@dataclass(frozen=True)
class Attempted:
    """What was attempted when Google refused: by whom, on which spreadsheet, read or written."""

    account: str
    spreadsheet: str
    writing: bool = False


def explained(refusal: Refused, attempted: Attempted) -> dg.Failure:
    """Turn a refusal into the failure to raise."""
    who, what = attempted.account, attempted.spreadsheet
    said = f"Google said: {refusal.message}" if refusal.message else "Google gave no reason."
    for applies, name, advice in _MEANINGS:
        if applies(refusal, attempted):
            text = f"{name}: {advice.format(account=who, spreadsheet=what)} {said}"
            return TransientFailure(text) if name == "Quota used up" else PermanentFailure(text)
    return PermanentFailure(
        f"Google refused the request to {what} with status {refusal.status}, account {who}. "
        f"The sheet was left as it was. {said}"
    )


def _reason(*words: str) -> Callable[[Refused, Attempted], bool]:
    return lambda refusal, _attempted: refusal.reason in words


_MEANINGS: tuple[tuple[Callable[[Refused, Attempted], bool], str, str], ...] = (
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
        lambda refusal, attempted: refusal.status == 403 and attempted.writing,  # noqa: PLR2004
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

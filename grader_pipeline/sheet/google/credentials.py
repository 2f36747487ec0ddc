"""The Google account of GOOGLE_SHEETS_CREDENTIALS, with as few rights as possible."""

import json
from pathlib import Path

import google.auth
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import service_account

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.settings import Settings

APPLICATION_DEFAULT = "adc"
"""The value of GOOGLE_SHEETS_CREDENTIALS that means application default credentials."""

_SHEETS = "https://www.googleapis.com/auth/spreadsheets"
_DRIVE = "https://www.googleapis.com/auth/drive.readonly"


def find_credentials(settings: Settings) -> Credentials:
    """Give the account's credentials. They may read Drive only if a name has to be looked up.

    Raises PermanentFailure if GOOGLE_SHEETS_CREDENTIALS cannot be used.
    """
    scopes = [_SHEETS] if settings.google_sheets_id else [_SHEETS, _DRIVE]
    secret = settings.google_sheets_credentials
    given = secret.get_secret_value().strip() if secret else APPLICATION_DEFAULT
    account: Credentials
    if given == APPLICATION_DEFAULT:
        try:
            account, _project = google.auth.default(scopes=scopes)
        except GoogleAuthError:
            raise PermanentFailure(
                "There are no application default credentials on this machine. Set "
                "GOOGLE_SHEETS_CREDENTIALS to a service account key, or run `gcloud auth "
                "application-default login` with the scope of Google Sheets."
            ) from None
        return account
    try:
        key = json.loads(given if given.startswith("{") else _read(given))
        account = service_account.Credentials.from_service_account_info(key, scopes=scopes)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, AttributeError, GoogleAuthError):
        # The parser's error may quote the key.
        raise PermanentFailure(
            "GOOGLE_SHEETS_CREDENTIALS holds no usable service account key. Create a JSON key for "
            "the service account in Google Cloud (IAM, Service accounts, Keys) and give its path "
            "or its whole text."
        ) from None
    return account


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        # Without the path, which may be a key pasted without its braces.
        raise PermanentFailure(
            f"The file named by GOOGLE_SHEETS_CREDENTIALS cannot be read ({error.strerror}). Give "
            "the path to a service account's JSON key, or the JSON itself."
        ) from None

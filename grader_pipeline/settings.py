"""Every setting of the pipeline, read from the environment and a ``.env`` file.

This is the only module that reads them. Names, meanings and defaults are those of
``.env.example``. Secrets are ``SecretStr``: code reads their text only where it uses it, so that no
repr, log or UI page shows it. ``.env`` is that of the current folder. Relative paths begin there.
"""

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, DirectoryPath, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from grader_pipeline import many_hosts
from grader_pipeline.channel_addresses import Channel, channels
from grader_pipeline.durations import Duration
from grader_pipeline.read_once import ENV_FILE, ReadOnce
from grader_pipeline.setting_forms import (
    Absolute,
    Address,
    Broker,
    ChannelAddresses,
    Courses,
    Hosts,
    Kept,
    Mailboxes,
    OneMailbox,
    Owners,
    Plain,
    Share,
    SpreadsheetId,
    Tags,
    WebAddress,
    Zone,
)

SAMPLE_CLIENT = "sample"
"""GRADER_API_CLIENT of the bundled sample API."""

CODE_REFERENCES = "GRADER_CODE_REFERENCES"
"""In the environment of `dev` only: assets in Dagster's UI link to the files of this machine."""


class WorldSettings(BaseSettings, metaclass=ReadOnce):
    """Where everything is, and the school's zone: the only settings that the demo reads.

    Raises ``pydantic.ValidationError`` naming the variables that cannot be used.
    """

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True,
        hide_input_in_errors=True,
    )  # fmt: skip

    grader_home: Annotated[Path, Absolute] = Path(".grader")
    grader_timezone: Zone = "Europe/Moscow"

    @property
    def timezone(self) -> ZoneInfo:
        """The school's time zone."""
        return ZoneInfo(self.grader_timezone)

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME of what the launcher starts."""
        return self.grader_home / "dagster"


class Settings(WorldSettings):
    """The settings as the environment has them at this moment.

    Raises ``pydantic.ValidationError`` naming the variables that cannot be used.
    """

    # The grader's API. Unset, the launcher starts the bundled sample.
    grader_api_url: str | None = None
    grader_api_client: str | None = None
    grader_api_client_key: SecretStr | None = None
    grader_api_timeout: Annotated[float, Field(gt=0)] = 300
    grader_api_concurrency: Annotated[int, Field(ge=1)] = 2

    # The school's calendar.
    grader_start_date: Annotated[dt.date, Plain] = dt.date(2023, 4, 1)
    grader_schedule_time: Annotated[dt.time, Plain] = dt.time(4, 0)

    # What a day may look like before anything of it is loaded.
    grader_max_rejected_share: Share = 0.5
    grader_min_volume_share: Share = 0.1
    grader_require_outcome_url: bool = False

    # Where things are.
    database_url: SecretStr | None = None
    # Where Celery's workers, perhaps of other hosts, take runs. Unset, this machine runs them.
    grader_broker_url: Broker | None = None
    grader_storage: str | None = None
    # Where UI and daemon find the code server. Unset: a socket of this machine.
    grader_code_server: Address | None = None
    # How long days' files, and Dagster's runs, are kept.
    grader_keep_answers: Kept = Duration(months=36)
    grader_keep_runs: Kept = Duration(days=90)
    # Where log lines go. Unset: to the file, or with a broker to stdout as JSON.
    grader_log: Literal["file", "stdout", "json"] | None = None
    # A folder of further reports.
    grader_reports: Annotated[DirectoryPath | None, Absolute] = None

    # Who owns the assets in Dagster's UI, and their tags there.
    grader_owners: Owners = ()
    grader_tags: Tags = {}

    # The sheet. No credentials: a workbook under GRADER_HOME.
    google_sheets_credentials: SecretStr | None = None
    google_sheets_id: SpreadsheetId = None
    google_sheets_name: str = "Агрегированные данные за день"
    google_sheets_worksheet: str = "Лист1"
    google_sheets_api_url: str | None = None

    # The mail. No host: .eml files under GRADER_HOME.
    smtp_host: str | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 465
    smtp_security: Literal["ssl", "starttls", "none"] = "ssl"
    smtp_user: str | None = None
    smtp_password: Annotated[
        SecretStr | None,
        Field(validation_alias=AliasChoices("smtp_password", "send_email_for_python_project")),
    ] = None
    smtp_from: OneMailbox = None
    mail_to: Mailboxes = ()
    mail_on_failure_to: Mailboxes = ()
    # Who gets the figures of their courses only. The sheet cannot change it.
    mail_courses: Courses = ()
    # What is attached to the mail of a day.
    mail_attach: Literal["xlsx"] | None = None

    # Further channels to colleagues.
    grader_channels: ChannelAddresses | None = None

    # Asked after each morning's success. If it is silent, a watch outside tells somebody.
    grader_heartbeat_url: WebAddress | None = None

    # The address under which colleagues reach the Dagster UI, for links in mails.
    dagster_ui_url: str | None = None
    # The names under which browsers reach it, beside localhost.
    grader_ui_hosts: Hosts = ()

    @field_validator("smtp_security", mode="before")
    @classmethod
    def _small_letters(cls, value: str) -> str:
        return value.lower()

    @model_validator(mode="after")
    def _whole_api(self) -> "Settings":
        if self.grader_api_url and not (self.grader_api_client and self.grader_api_client_key):
            raise ValueError(
                "GRADER_API_URL is set: set GRADER_API_CLIENT and GRADER_API_CLIENT_KEY too"
            )
        return self

    @model_validator(mode="after")
    def _for_many_hosts(self) -> "Settings":
        if self.grader_broker_url is not None:
            there = {name.upper() for name, value in self if value}
            if why := many_hosts.refusal(there, self.grader_storage, self.grader_log):
                raise ValueError(why)
        return self

    @property
    def has_real_api(self) -> bool:
        """Whether GRADER_API_URL is a grader's, not that of the bundled sample."""
        return self.grader_api_url is not None and self.grader_api_client != SAMPLE_CLIENT

    @property
    def has_google_sheet(self) -> bool:
        """Whether the sheet is a Google Sheet, and no local workbook."""
        return bool(self.google_sheets_credentials or self.google_sheets_id)

    @property
    def storage(self) -> str:
        """Folder or URL where the days' files are kept."""
        return self.grader_storage or str(self.grader_home / "storage")

    @property
    def log_form(self) -> str:
        """What is done with log lines: ``file``, ``stdout`` or ``json``."""
        return self.grader_log or ("json" if self.grader_broker_url else "file")

    @property
    def logs_dir(self) -> Path:
        """Folder of ``app_log.txt`` and its archives."""
        return self.grader_home / "logs"

    @property
    def stdout_lock(self) -> Path:
        """The file by which processes take turns to write log lines to one stdout."""
        return self.grader_home / ".stdout.lock"

    @property
    def outbox_dir(self) -> Path:
        """Folder of the .eml files written while SMTP_HOST is unset."""
        return self.grader_home / "outbox"

    @property
    def workbook(self) -> Path:
        """The workbook written while Google's credentials are unset."""
        name = self.google_sheets_name.replace("/", "-")
        return self.grader_home / f"{name}.xlsx"

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those of GRADER_CHANNELS."""
        written = self.grader_channels
        return channels(written.get_secret_value()) if written else ()

    def secrets(self) -> list[str]:
        """Every secret text that is set, to keep it out of what is written."""
        known = {name: v.get_secret_value() for name, v in self if isinstance(v, SecretStr) and v}
        # A text has one of these addresses, not all of them.
        if known.pop("grader_channels", None):
            return [*known.values(), *(one.secret.get_secret_value() for one in self.channels)]
        return list(known.values())


def variables() -> set[str]:
    """The names of all variables that settings are read from, in upper case."""
    names: set[object] = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names |= set(alias.choices) if isinstance(alias, AliasChoices) else {name}
    return {str(name).upper() for name in names}

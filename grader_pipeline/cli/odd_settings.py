"""What is odd about settings: misspelt names, blanks, days that are to come."""

import datetime as dt
import difflib
import os
import re
from collections.abc import Iterator

from pydantic_settings import DotEnvSettingsSource

from grader_pipeline.read_once import ENV_FILE
from grader_pipeline.roles.processes import MARK
from grader_pipeline.settings import CODE_REFERENCES, Settings, variables

_OURS = re.compile(r"GRADER_|MAIL_|SMTP_|GOOGLE_SHEETS_")
_INTERNAL = {MARK, CODE_REFERENCES, "GRADER_RUN_SOCKET"}
"""What the launcher gives to its processes. `grader-pipeline exec` gives it to any command."""

_ALIKE = 0.85
"""A name in .env this similar to the name of a setting is called misspelt. 1 is equal."""


def oddities(settings: Settings) -> Iterator[str]:
    """A sentence for each odd thing, with what to do. No value is in it, but a day's."""
    known = variables()
    given = {name.upper(): value for name, value in os.environ.items()}
    in_file = {
        name.upper(): value or "" for name, value in DotEnvSettingsSource(Settings).env_vars.items()
    }
    for name in sorted({*given, *in_file} - known - _INTERNAL):
        close = difflib.get_close_matches(name, sorted(known), 1, _ALIKE)
        if _OURS.match(name) or (close and name in in_file):
            where = "" if name in given else f" in {ENV_FILE.absolute()}"
            meant = f"Is {close[0]} meant?" if close else "See .env.example for the names."
            yield f"{name}{where} is no setting, and nobody reads it. {meant}"
    for name in sorted(known):
        value = given.get(name) or in_file.get(name, "")
        if value != value.strip():
            yield f"{name} has blanks around its value. Remove them: they may count as part of it."
    today = dt.datetime.now(settings.timezone).date()
    if settings.grader_start_date > today:
        yield (
            f"GRADER_START_DATE is {settings.grader_start_date}, a day to come: until then no day "
            "can be loaded. Set the first day of which you want a report."
        )

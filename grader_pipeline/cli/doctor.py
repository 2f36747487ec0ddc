"""``grader-pipeline doctor``: tries each setting and connection, and says what to do about it.

It changes nothing: no table, no folder, no cell. A file that it writes to try a store is removed.
Each resource tries itself (``probe``). Here are the order, and what no resource has: the log
folder, the room on the disks, and Dagster's instance. A check that raises UserWarning passes.
"""

import argparse
import logging
from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg
from pydantic import ValidationError

from grader_pipeline.channel_addresses import Channel
from grader_pipeline.cli.odd_settings import oddities
from grader_pipeline.disk import is_writable
from grader_pipeline.local.disk_forecast import disks
from grader_pipeline.local.sample_guard import refuse_real_places
from grader_pipeline.logs import without_secrets
from grader_pipeline.mail import channels, heartbeat
from grader_pipeline.mail.addressing import colleagues, course_readers, owners
from grader_pipeline.mail.resource import Mail
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.resources.grader_api import GraderApi
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.roles.database import connected, require_connections
from grader_pipeline.roles.errors import LauncherError, explain
from grader_pipeline.roles.instance import connections_needed
from grader_pipeline.roles.migrate import dagsters_lack
from grader_pipeline.runs.dagster_schema import SCHEMA
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.storage import DayFiles

FEW_DAYS = 30
"""With room for fewer days on a disk, doctor warns."""


def run(_: argparse.Namespace) -> int:
    """Print a line for each setting and connection. Gives 1 if one fails, else 0."""
    # The lines say what the resources log, and the log file may be what fails.
    logging.disable()
    settings, wrong = _settings()
    for line in wrong:
        print(f"FAIL  settings: {line}")
    if not wrong:
        print("ok    settings: they can be read")
    for said in oddities(settings):
        print(f"warn  settings: {said}")
    if wrong:
        return 1
    checks: dict[str, Callable[[Settings], str]] = {
        "log folder": _log_folder,
        "storage": lambda _: DayFiles().probe(),
        "disks": _disks,
        "database": _database,
        "broker": _broker,
        "API": _api,
        "sheet": lambda _: Sheets().probe(),
        "mail": lambda _: Mail().probe(),
        "channels": lambda _: channels.probe(),
        "heartbeat": lambda _: heartbeat.probe(),
        "recipients": _recipients,
        "Dagster": _dagster,
    }
    passed = [_passes(name, check, settings) for name, check in checks.items()]
    return int(not all(passed))


def _settings() -> tuple[Settings, list[str]]:
    """The settings, and what is wrong about them. Those that are wrong have their defaults then."""
    wrong: list[str] = []
    defaults: dict[str, Any] = {}
    while True:
        try:
            return Settings(**defaults), wrong
        except ValidationError as error:
            wrong += explain(error)
            # An error without a name says that one of these needs others.
            names = {str(place) for problem in error.errors() for place in problem["loc"][:1]}
            for name in names or {"grader_api_url", "grader_broker_url"}:
                defaults[name] = Settings.model_fields[name].default


def _passes(name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        mark, said = "ok  ", check(settings)
    except UserWarning as warning:
        mark, said = "warn", str(warning)
    except dg.Failure as failure:
        mark, said = "FAIL", failure.description or "it failed without a reason"
    except LauncherError as error:
        mark, said = "FAIL", str(error)
    except Exception as error:  # the other lines are still printed
        mark, said = "FAIL", f"{type(error).__name__}: {error}"
    print(f"{mark}  {name}: {without_secrets(said, settings)}")
    return mark != "FAIL"


def _log_folder(settings: Settings) -> str:
    if settings.log_form != "file":
        return f"lines go to stdout, as {settings.log_form}"
    if not is_writable(settings.logs_dir):
        raise LauncherError(
            f"{settings.logs_dir} cannot be written: set GRADER_HOME to a folder that can."
        )
    return f"{settings.logs_dir} can be written"


def _disks(settings: Settings) -> str:
    found = disks(settings)
    said = " | ".join(map(str, found))
    days = min((disk.days for disk in found if disk.days is not None), default=FEW_DAYS)
    if days == 0:
        raise dg.Failure(f"The next day does not fit. Make room, or name larger disks. {said}")
    if days < FEW_DAYS:
        raise UserWarning(f"{days} more days fit. Make room in time. {said}")
    return said


def _database(settings: Settings) -> str:
    if settings.database_url is None:
        return "DATABASE_URL is not set: `grader-pipeline dev` brings a PostgreSQL of its own"
    return Postgres(connect_seconds=5).probe()


def _broker(settings: Settings) -> str:
    if settings.grader_broker_url is None:
        return "GRADER_BROKER_URL is not set: this machine executes the runs"
    # Only now: Celery is not installed where no broker is.
    from kombu.exceptions import OperationalError  # noqa: PLC0415

    from grader_pipeline.runs import celery_app  # noqa: PLC0415

    try:
        return celery_app.probe()
    except OperationalError as error:
        raise dg.Failure(
            f"Redis of GRADER_BROKER_URL does not answer ({error}). Start it, or correct host, "
            "port and password."
        ) from error


def _api(settings: Settings) -> str:
    refuse_real_places(settings)
    if settings.grader_api_url is None:
        return "GRADER_API_URL is not set: `grader-pipeline dev` shows days of a sample API"
    return GraderApi().probe()


def _recipients(settings: Settings) -> str:
    """What would be sent to whom."""
    to, about_failures = colleagues(), owners()
    if not to and settings.smtp_host is None:
        return "nobody, because SMTP_HOST and MAIL_TO are not set"
    if not to:
        raise UserWarning("nobody gets the report: set MAIL_TO to the colleagues' addresses")
    sends = "are sent to" if settings.smtp_host else "would be sent, once SMTP_HOST is set, to"
    said = f"each day's report, its changes and the digest of a backfill {sends} {_listed(to)}"
    if by_course := [mailbox for mailbox, _ in course_readers()]:
        said += f"; the figures of their courses to {_listed(by_course)}"
    if not settings.mail_on_failure_to:
        return f"{said}; failures too, because MAIL_ON_FAILURE_TO is not set"
    return f"{said}; failures to {_listed(about_failures)}"


def _listed(recipients: Sequence[Mailbox | Channel]) -> str:
    return ", ".join(to.address for to in recipients)


def _dagster(settings: Settings) -> str:
    if settings.database_url is None:
        return f"its instance will be in {settings.dagster_home} and the embedded PostgreSQL"
    needed = connections_needed(settings)
    with connected(settings.database_url.get_secret_value()) as db:
        answer = db.execute(
            "SELECT coalesce(has_schema_privilege(to_regnamespace(%s), 'CREATE'),"
            " has_database_privilege(current_database(), 'CREATE'))",
            [SCHEMA],
        ).fetchone()
        free = require_connections(db, needed)
        may_create = answer is not None and answer[0]
        if not may_create and dagsters_lack(db):
            raise dg.Failure(
                f"The role of DATABASE_URL may not make or change the schema {SCHEMA}: run "
                "`grader-pipeline migrate` with a role that may, or grant it CREATE on the "
                "database."
            )
    return (
        f"its instance is, or will be, in the schema {SCHEMA} of the database, which has {free} "
        f"connections for the {needed} needed"
    )

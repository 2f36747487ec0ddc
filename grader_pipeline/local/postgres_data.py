"""The data folder of the embedded PostgreSQL: made once, and checked at each start."""

import logging
import os
import shutil
import signal
from pathlib import Path

from grader_pipeline.local.postgres_user import ServerAccount
from grader_pipeline.roles import processes
from grader_pipeline.roles.errors import LauncherError

log = logging.getLogger(__name__)

MAJOR = "18"
# Nothing else: the user's PGPORT or PGDATA would change where the server is.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


def cluster(folder: Path, programs: Path, account: ServerAccount) -> Path:
    """The data folder. The first start creates it, whole or not at all."""
    data = folder / "data"
    if data.exists():
        _check(data, account)
        return data
    log.info("Creating a PostgreSQL %s database in %s", MAJOR, data)
    unfinished = folder / "data.unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    os.chown(unfinished, account.uid, account.gid)
    with server_log(data).open("wb") as output:
        initdb = processes.start(
            [
                *account.prefix,
                *(str(programs / "initdb"), "--pgdata", str(unfinished)),
                *("--username", "postgres", "--auth", "trust", "--encoding", "UTF8"),
                # Texts have the same order on each machine, and all letters have case rules.
                *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            ],
            environment=ENVIRONMENT,
            output=output,
            on_parents_death=signal.SIGKILL,
            user=account.other,
        )
    if initdb.wait() != 0:
        raise LauncherError(f"No database in {unfinished}:\n{processes.tail(server_log(data))}")
    unfinished.rename(data)
    return data


def _check(data: Path, account: ServerAccount) -> None:
    owner = data.stat().st_uid
    if owner != account.uid:
        raise LauncherError(
            f"{data} belongs to user {owner}, and PostgreSQL would run as user {account.uid}. "
            "Start as the user who created it, or set GRADER_HOME to another folder."
        )
    major = (data / "PG_VERSION").read_text().strip()
    if major != MAJOR:
        raise LauncherError(
            f"{data} was made by PostgreSQL {major}, and this is {MAJOR}. Install the former "
            "release again, and with it run `grader-pipeline pg_dump -f grader.sql`. Then install "
            "this one, move that folder away, and run `grader-pipeline psql -1 -v ON_ERROR_STOP=1 "
            "-f grader.sql`. The section about PostgreSQL of docs/operating.md has the steps."
        )


def server_log(data: Path) -> Path:
    """The file with the output of initdb, or of the server."""
    return data.parent / "server.log"

"""Who the embedded PostgreSQL runs as: PostgreSQL refuses to run as root.

An ordinary user's server runs as that user. Root's runs as the system user ``pgserver``, who is
made when missing, and who must be let through to the folders it works in.
"""

import logging
import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from grader_pipeline.local.errors import LauncherError

log = logging.getLogger(__name__)

_NAME = "pgserver"


@dataclass(frozen=True)
class Account:
    """A user of this machine, and the group of its files."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether this is who we are."""
        return self.uid == os.geteuid()


def server_account() -> Account:
    """Give the user that the server runs as.

    Raises LauncherError when we are root and there is no such user, nor a way to make it.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(_NAME)
    except KeyError:
        try:
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _NAME],
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise LauncherError(
                f"PostgreSQL does not run as root, and the user {_NAME} cannot be made ({error}). "
                "Start as an ordinary user, or set DATABASE_URL."
            ) from error
        entry = pwd.getpwnam(_NAME)
    return Account(entry.pw_uid, entry.pw_gid)


def open_to(account: Account, folder: Path, *, readable: bool = False) -> None:
    """Let ``account`` pass through to ``folder`` and, if ``readable``, read all below it.

    Only passing is allowed on the way there, not listing.
    """
    if account.is_ours:
        return
    for path in (folder, *folder.resolve().parents):
        _allow(path, stat.S_IXOTH)
    if readable:
        for path in folder.rglob("*"):
            if path.is_dir() or path.stat().st_mode & stat.S_IXUSR:
                _allow(path, stat.S_IROTH | stat.S_IXOTH)
            else:
                _allow(path, stat.S_IROTH)


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        log.debug("Opening %s to the user %s", path, _NAME)
        path.chmod(mode | bits)

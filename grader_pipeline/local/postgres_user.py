"""The user that the embedded PostgreSQL runs as. PostgreSQL refuses to run as root.

The server runs as the user who starts the launcher. If that is root, it runs as the system user
``pgserver``. This creates that user and gives it access to the folders that it needs.
"""

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from grader_pipeline.roles.errors import LauncherError

_NAME = "pgserver"


@dataclass(frozen=True)
class ServerAccount:
    """A user of this machine, and the group of its files."""

    uid: int
    gid: int

    @property
    def is_current(self) -> bool:
        """Whether this process runs as this user."""
        return self.uid == os.geteuid()

    @property
    def other(self) -> tuple[int, int] | None:
        """The numbers of user and group, if this process runs as another user."""
        return None if self.is_current else (self.uid, self.gid)


def server_account() -> ServerAccount:
    """Give the user that the server runs as.

    Raises LauncherError when root starts this and the user ``pgserver`` cannot be created.
    """
    if os.geteuid() != 0:
        return ServerAccount(os.geteuid(), os.getegid())
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
    return ServerAccount(entry.pw_uid, entry.pw_gid)


def open_to(account: ServerAccount, folder: Path, *, readable: bool = False) -> None:
    """Let ``account`` enter ``folder`` and, if ``readable``, read all below it.

    It may pass through the folders above, but not list them.
    """
    if account.is_current:
        return
    for path in (folder, *folder.resolve().parents):
        _allow(path, stat.S_IXOTH)
    if readable:
        for path in folder.rglob("*"):
            enters = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            _allow(path, stat.S_IROTH | (stat.S_IXOTH if enters else 0))


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)

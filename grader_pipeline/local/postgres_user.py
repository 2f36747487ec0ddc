"""The user that the embedded PostgreSQL runs as. PostgreSQL refuses to run as root.

The server runs as the user who starts the launcher. If that is root, it runs as the system user
``pgserver``, which this creates. No folder's mode is changed. Where that user may not pass a folder
above the server's own, the server gets one capability of Linux that lets it: to read, or else, in
containers, to pass over all modes. Only root can send it statements.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from grader_pipeline.roles.errors import LauncherError

_NAME = "pgserver"

_CAPABILITIES = ("dac_read_search", "dac_override")
"""The least one first. A container's root often has only the second."""

_AS_ORDINARY_USER = (
    "Start as an ordinary user, in a folder of that user (`runuser -u NAME -- make demo`), or set "
    "DATABASE_URL."
)


@dataclass(frozen=True)
class ServerAccount:
    """A user of this machine, and the group of its files."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()
    """Words before a command: a program that changes to the user and leaves one capability."""

    @property
    def other(self) -> tuple[int, int] | None:
        """The numbers of user and group that a process has to be given, if any."""
        is_current = self.uid == os.geteuid()
        return None if is_current or self.prefix else (self.uid, self.gid)

    def able_to_use(self, *places: Path) -> "ServerAccount":
        """The account, with what it needs to enter the folders and run the programs of ``places``.

        Raises LauncherError when it may not, and root cannot let it.
        """
        if self.uid == os.geteuid():
            return self
        for account in (self, *(replace(self, prefix=self._with(c)) for c in _CAPABILITIES)):
            if account._may_use(places):
                return account
        raise LauncherError(
            f"PostgreSQL does not run as root, and the user {_NAME} may not enter "
            f"{' or '.join(map(str, places))}. {_AS_ORDINARY_USER}"
        )

    def _may_use(self, places: tuple[Path, ...]) -> bool:
        user = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}
        try:
            return all(
                subprocess.run(
                    [*self.prefix, "test", "-x", str(place)],
                    check=False, capture_output=True, cwd="/", **user,  # type: ignore[call-overload]
                ).returncode == 0
                for place in places
            )  # fmt: skip
        except OSError:
            return False

    def _with(self, capability: str) -> tuple[str, ...]:
        return (
            *("setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"),
            # Without it, the change of the user would take the capability from access(2).
            "--securebits=+no_setuid_fixup",
            *(f"--inh-caps=-all,+{capability}", f"--ambient-caps=-all,+{capability}"),
            "--pdeathsig=keep",
        )


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
                f"{_AS_ORDINARY_USER}"
            ) from error
        entry = pwd.getpwnam(_NAME)
    return ServerAccount(entry.pw_uid, entry.pw_gid)

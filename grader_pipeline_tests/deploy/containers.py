"""Builds the image of deploy/Containerfile, and runs it as a container runtime does.

buildah builds, as root and without a daemon, on a Debian that mmdebstrap makes. What is run has the
image's file system read-only, a /tmp and a home of its own to write to, the image's user, and is
process 1 of its namespace.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from grader_pipeline_tests.wheel import CHECKOUT, copy_checkout

PROGRAMS = ("buildah", "mmdebstrap", "unshare")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")

ENTER = """
set -e
root=$1 home=$2 tmp=$3 user=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$tmp" "$root/tmp"
mount --bind "$home" "$root/var/lib/grader-pipeline"
exec chroot --userspec="$user" --groups= "$root" /usr/bin/env -i "$@"
"""


class Image:
    """The built image, unpacked, and the folders that its containers may write to."""

    def __init__(self, root: Path, config: dict[str, Any], writable: Path) -> None:
        self.root, self.config = root, config
        self.home, self.tmp = writable / "home", writable / "tmp"
        user, _, group = config["User"].partition(":")
        for folder in (self.home, self.tmp):
            folder.mkdir()
            os.chown(folder, int(user), int(group))

    def start(self, *command: str, settings: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a container with these arguments, as `docker run IMAGE ARGUMENTS` does."""
        return self.start_program(*self.config["Entrypoint"], *command, settings=settings)

    def start_program(self, *command: str, settings: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a container with another entry point."""
        own = [f"{name}={value}" for name, value in settings.items()]
        return subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "enter",
             self.root, self.home, self.tmp, self.config["User"], *self.config["Env"], *own,
             *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, *command: str, settings: Mapping[str, str]) -> tuple[int, str]:
        """The exit code and the output of a container."""
        return ended(self.start(*command, settings=settings))

    def run_program(self, *command: str) -> str:
        """The output of a program of the image, which ends well."""
        code, said = ended(self.start_program(*command, settings={}))
        assert code == 0, said
        return said.strip()


def ended(container: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = container.communicate(timeout=120)
    return container.returncode, said


def stop(container: subprocess.Popen[str]) -> None:
    """Ask process 1 of the container to end, as `docker stop` does."""
    (first,) = psutil.Process(container.pid).children()
    first.send_signal(signal.SIGTERM)


@contextmanager
def built(folder: Path) -> Iterator[Image]:
    """Build the image in a folder; remove it at the end. Takes minutes and gigabytes."""
    base = folder / "base.tar"
    _run(
        "mmdebstrap", "--variant=apt", "--include=ca-certificates,python3,python3-venv,tini",
        "bookworm", str(base),
    )  # fmt: skip
    source = copy_checkout(folder / "source")
    shutil.copy(CHECKOUT / ".dockerignore", source)
    store = ("--root", str(folder / "store"), "--runroot", str(folder / "run"))

    def buildah(command: str, *arguments: str) -> str:
        return _run("buildah", *store, "--storage-driver", "vfs", command, *arguments)

    try:
        made = buildah("from", "scratch")
        buildah("add", made, str(base), "/")
        base.unlink()
        # The registry's certificate may be one that only this machine knows.
        buildah("copy", made, str(AUTHORITIES), str(AUTHORITIES))
        buildah("commit", "--quiet", "--rm", made, "base")
        # Those of pip's settings that are in the environment: where its packages are.
        pips = [f"--env={name}={value}" for name, value in os.environ.items()
                if name in {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_PROXY"}]  # fmt: skip
        buildah(
            "build", "--isolation", "chroot", "--build-arg", "BASE=localhost/base", *pips,
            "--file", str(source / "deploy" / "Containerfile"), "--tag", "built", str(source),
        )  # fmt: skip
        run = buildah("from", "localhost/built")
        config = json.loads(buildah("inspect", "--type", "container", run))["OCIv1"]["config"]
        yield Image(Path(buildah("mount", run)), config, folder)
    finally:
        buildah("rm", "--all")
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise AssertionError(f"{command[0]} ended with {done.returncode}")
    return done.stdout.strip()

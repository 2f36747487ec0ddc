"""Folders and object stores behind one path type, and what it means when a store fails.

A local folder is used as it is. An object store, such as ``s3://bucket/grader``, is asked anew each
time: several hosts write there, and fsspec would show a listing that it has seen before. Its driver
asks again for seconds when the store is busy or does not answer. Credentials and address are those
of the driver: for S3 AWS's own variables, such as AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL_S3.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from upath import UPath

from grader_pipeline import disk, full_disk
from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.logs import without_secrets
from grader_pipeline.settings import Settings

_WITHOUT_FOLDERS = {"s3", "s3a", "gs", "gcs", "az", "abfs"}
_LONGEST_CAUSE = 300

# Of botocore and google-auth, which need not be installed.
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"}


def place(where: str) -> UPath:
    """The folder or store of GRADER_STORAGE."""
    if is_store(where):
        return UPath(where, use_listings_cache=False)
    return UPath(where)


def is_store(where: str) -> bool:
    """Whether it is the URL of a store, and no local folder."""
    return "://" in where and not where.startswith("file://")


def is_local(path: UPath) -> bool:
    """Whether it is a path of this machine."""
    return path.protocol in {"", "file"}


def without_login(where: str) -> str:
    """The place without what its URL may hide: user, password and query."""
    if "://" not in where:
        return where
    return re.sub(r"(?<=://)[^/]*@", "", where).partition("?")[0]


@contextmanager
def explained(path: UPath) -> Iterator[None]:
    """Raise a Failure in place of a store's error. An error of a local disk stays what it is.

    Raises PermanentFailure if the store refuses, TransientFailure if it may answer later. A file
    that is not there stays a FileNotFoundError, a missing driver an ImportError.
    """
    try:
        yield
    except (FileNotFoundError, ImportError, ValueError, PermanentFailure, TransientFailure):
        raise
    except Exception as error:  # each store has errors of its own
        if is_local(path) or (isinstance(error, OSError) and disk.is_full(error)):
            raise
        raise _failure(path, error) from None


def _failure(path: UPath, error: Exception) -> PermanentFailure | TransientFailure:
    said = without_secrets(str(error).strip() or type(error).__name__, Settings())
    where = f"The store of GRADER_STORAGE ({without_login(str(path))})"
    cause = " ".join(said.split())[:_LONGEST_CAUSE]
    if isinstance(error, PermissionError) or type(error).__name__ in _NO_CREDENTIALS:
        return PermanentFailure(
            f"{where} refused: {cause}. Its files are as they were. Set its credentials (of S3: "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), and give them the right to list, read, "
            "write and delete there."
        )
    return TransientFailure(
        f"{where} did not answer as it should: {cause}. A file there is as it was, or new and "
        "whole. Check the store and its address (of S3: AWS_ENDPOINT_URL_S3), and repeat this."
    )


def exists(path: UPath) -> bool:
    """Whether there is such a file. Raises like :func:`explained`."""
    with explained(path):
        return bool(path.exists())


def names(folder: UPath) -> list[str]:
    """The names of what is in a folder. None if it is not there: a store has no empty folder.

    Raises like :func:`explained`.
    """
    with explained(folder):
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def open_file(path: UPath) -> BinaryIO:
    """Open a file to read. Of a store's file this is a copy in TMPDIR, which closing removes.

    So a reader sees one version of it, whole. Raises FileNotFoundError if it is not there,
    PermanentFailure if TMPDIR is full, and like :func:`explained`.
    """
    if is_local(path):
        return path.open("rb")
    copy = tempfile.NamedTemporaryFile(prefix="grader-store-")  # noqa: SIM115
    try:
        with full_disk.room(Path(tempfile.gettempdir()), "TMPDIR"), explained(path):
            path.fs.get_file(path.path, copy.name)
    except BaseException:
        copy.close()
        raise
    return cast(BinaryIO, copy)


def upload(file: Path, target: UPath, keep: UPath | None) -> None:
    """Replace a store's ``target`` by ``file``; first copy what it was to ``keep``, if given.

    An object appears when its upload is complete. Raises like :func:`explained`, and
    PermanentFailure if the bucket is not there.
    """
    try:
        with explained(target):
            for path in filter(None, (keep, target)):
                if path.protocol not in _WITHOUT_FOLDERS:
                    path.parent.mkdir(parents=True, exist_ok=True)
            if keep:
                target.fs.copy(target.path, keep.path)
            target.fs.put_file(str(file), target.path)
    except FileNotFoundError as error:
        raise PermanentFailure(
            f"The store of GRADER_STORAGE ({without_login(str(target))}) has no such place: {error}"
            ". Make the bucket, or correct GRADER_STORAGE."
        ) from None


def remove(path: UPath) -> None:
    """Remove a file. One that is gone already is no error. Raises like :func:`explained`."""
    with explained(path):
        path.unlink(missing_ok=True)

"""An S3 server for tests: moto's, a process of its own."""

import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest
from upath import UPath

from grader_pipeline.local.services import free_port
from grader_pipeline_tests.waiting import eventually

SECRET = "the-secret-key-of-the-store"
BUCKET = "school"


@contextmanager
def running(host: str = "127.0.0.1", on: Sequence[str] = ()) -> Iterator[str]:
    """The address of a server that has the bucket. ``on`` begins a command on another host."""
    port = free_port()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*on, sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)],
            stdout=said, stderr=said,
        )  # fmt: skip
        try:
            address = f"http://{host}:{port}"
            assert eventually(lambda: _has_bucket(address), 60)
            yield address
        finally:
            process.kill()
            process.wait()


def _has_bucket(address: str) -> bool:
    asked = urllib.request.Request(f"{address}/{BUCKET}", method="PUT")
    try:
        with urllib.request.urlopen(asked, timeout=5):
            return True
    except OSError:
        return False


def settings(address: str, folder: Path, name: str = "grader") -> dict[str, str]:
    """The environment in which GRADER_STORAGE is a folder of the bucket."""
    return {
        "AWS_ACCESS_KEY_ID": "AKIAOFTHETEST",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": address,
        "AWS_CONFIG_FILE": str(folder / "no config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "GRADER_STORAGE": f"s3://{BUCKET}/{name}",
    }


def use(monkeypatch: pytest.MonkeyPatch, address: str, folder: Path, name: str = "grader") -> UPath:
    """Let GRADER_STORAGE be a folder of the bucket. Gives its path, without a cache."""
    for variable, value in (found := settings(address, folder, name)).items():
        monkeypatch.setenv(variable, value)
    # A driver keeps address and credentials while its process lives.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    return UPath(found["GRADER_STORAGE"], use_listings_cache=False)

"""An S3 server for tests: moto's, a process of its own."""

import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest
from upath import UPath

from grader_pipeline_tests.waiting import eventually

SECRET = "the-secret-key-of-the-store"
BUCKET = "school"


@contextmanager
def running() -> Iterator[str]:
    """The address of a server that has the bucket."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=said, stderr=said,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
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


def use(monkeypatch: pytest.MonkeyPatch, address: str, folder: Path, name: str = "grader") -> UPath:
    """Let GRADER_STORAGE be a folder of the bucket. Gives its path, without a cache."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHETEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "no config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "no credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("GRADER_STORAGE", place := f"s3://{BUCKET}/{name}")
    # A driver keeps address and credentials while its process lives.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    return UPath(place, use_listings_cache=False)

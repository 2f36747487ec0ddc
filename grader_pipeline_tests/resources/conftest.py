"""A grader to ask. After each test: no temporary file is left, and no log line has the key."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import KEY, assert_without_key

from grader_pipeline import logs
from grader_pipeline_tests import grader as graders


@pytest.fixture
def grader(monkeypatch: pytest.MonkeyPatch) -> Iterator[graders.Grader]:
    """A running grader; the environment knows client and key."""
    monkeypatch.setenv("GRADER_API_CLIENT", "school")
    monkeypatch.setenv("GRADER_API_CLIENT_KEY", KEY)
    with graders.running() as running:
        monkeypatch.setenv("GRADER_API_URL", running.url)
        yield running


@pytest.fixture(autouse=True)
def _nothing_is_left_in_the_temporary_folder(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    if "database_url" in request.fixturenames:
        # The session's server has its files in the folder of the session.
        yield
        return
    (folder := tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture(autouse=True)
def _no_key_is_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[None]:
    logs.configure()  # as each process does when it starts
    caplog.set_level(logging.DEBUG)
    yield
    said = caplog.text + "".join(repr(record.__dict__) for record in caplog.records)
    assert_without_key(said + "".join(capfd.readouterr()))

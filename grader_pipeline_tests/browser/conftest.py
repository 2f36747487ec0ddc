"""All that `make dev` starts, and a Chromium that opens it."""

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from grader_pipeline.local.services import free_port
from grader_pipeline.local.stack import Stack, running
from grader_pipeline.settings import Settings

CHROMIUM = shutil.which("chromium")

# The browser itself must not connect to anything outside this machine.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """Nothing is configured, except a home."""
    with (
        tempfile.TemporaryDirectory(prefix="grader-ui-") as home,
        pytest.MonkeyPatch.context() as env,
    ):
        for name in Settings.model_fields:
            env.delenv(name.upper(), raising=False)
        env.chdir(home)
        env.setenv("GRADER_HOME", home)
        yield Settings()


@pytest.fixture(scope="module")
def stack(settings: Settings) -> Iterator[Stack]:
    """What `make dev` starts."""
    with running(settings, "127.0.0.1", free_port()) as up:
        up.start_daemon()
        yield up


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of a real Chromium."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed: apt-get install chromium")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser.new_page(viewport={"width": 1500, "height": 900})
        browser.close()

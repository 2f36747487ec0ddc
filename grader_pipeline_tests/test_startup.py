"""A process is set up where it starts: imports change nothing, Dagster's entry point does."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest

import grader_pipeline

pytestmark = pytest.mark.processes

ENTRY_POINTS = ("__main__", "definitions")
MODULES = [
    module.name
    for module in walk_packages(grader_pipeline.__path__, "grader_pipeline.")
    if module.name.rpartition(".")[2] not in ENTRY_POINTS
]

LATE = {
    "aiohttp", "apprise", "celery", "google.auth", "gspread", "httpx", "jinja2", "matplotlib",
    "openpyxl", "requests", "starlette", "uvicorn", "grader_pipeline.sheet.google",
}  # fmt: skip
"""What a run does not need, or only some of them, or only at its end."""

STATE = """
import gc, importlib, json, logging, os, sys
from contextlib import suppress

def state():
    known = {"": logging.root, **logging.root.manager.loggerDict}
    loggers = {
        name: [log.level, list(map(repr, log.handlers)), log.propagate, log.disabled]
        for name, log in known.items() if isinstance(log, logging.Logger)
    }
    # A logger that was only asked for is set up like this.
    loggers = {name: log for name, log in loggers.items() if log != [0, [], True, False]}
    return [gc.get_threshold(), loggers, dict(os.environ)]

def collections():
    return sum(generation["collections"] for generation in gc.get_stats())

first, then = json.load(sys.stdin)
for name in first:
    with suppress(ImportError):
        importlib.import_module(name)
before, collected = state(), collections()
for name in then:
    importlib.import_module(name)
print(json.dumps([before, state(), collections() - collected, list(sys.modules)]))
"""


def states(first: list[str], then: list[str], **environment: str) -> Any:
    """The state of a new process after it has imported ``first``, and after ``then`` too.

    Then the collections of garbage meanwhile, and all modules that are imported.

    It inherits nothing that an import has set in this process.
    """
    done = subprocess.run(
        [sys.executable, "-c", STATE], input=json.dumps([first, then]),
        env={"PATH": os.defpath, **environment}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_importing_a_module_changes_no_setting_of_its_process() -> None:
    for name in MODULES:
        importlib.import_module(name)
    # Libraries set up themselves. They are imported first, so that only the rest is compared.
    libraries = [name for name in sys.modules if not name.startswith(("__main__", "grader_pipe"))]
    before, after, *_ = states(libraries, MODULES)
    assert after == before


def test_a_process_in_which_dagster_loads_the_definitions_is_set_up_at_little_cost(
    tmp_path: Path,
) -> None:
    home = str(tmp_path / "home")
    before, after, collections, imported = states(
        ["dagster"], ["grader_pipeline.definitions"], GRADER_HOME=home, DATABASE_URL=""
    )
    assert before[0] != after[0] == [100_000, 20, 100]
    assert "grader_pipeline" in after[1].keys() - before[1].keys()
    # They would log the API's key with each address that is asked.
    assert [after[1][library][0] for library in ("httpx", "httpcore")] == [30, 30]
    # Each run that is not forked waits for it.
    assert collections < 10
    early = LATE.intersection(imported)
    assert not early


def test_the_end_of_a_process_does_not_look_through_all_of_its_objects() -> None:
    code = """
import gc
from grader_pipeline.startup import prepare_process
prepare_process()
prepare_process()
gc.callbacks.append(lambda phase, info: print(phase, gc.get_freeze_count() > 1000))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "start False" not in done.stdout

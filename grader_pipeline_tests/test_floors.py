"""Rooms import from lower floors only: the contracts in pyproject.toml ([tool.importlinter])."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader_pipeline_tests.wheel import CHECKOUT

pytestmark = pytest.mark.processes

ROOTS = ("grader_pipeline", "grader_pipeline_tests", "benchmarks")

ROOMS = "Rooms import from lower floors only"
CIRCLE = "No circle, not even between folders"
ROOF = "Only benchmarks import tests, and nothing imports benchmarks"

# The wheel's environment has the package, but no script of it.
_LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _LINT, "--no-cache", "--no-logo", "pyproject.toml"],
        cwd=folder, check=False, capture_output=True, text=True,
    )  # fmt: skip


def test_no_import_runs_up_and_no_folders_make_a_circle() -> None:
    done = lint(CHECKOUT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("grader_pipeline/failures.py", "import grader_pipeline.attempts.duplicates", ROOMS),
        (
            "grader_pipeline/attempts/duplicates.py",
            "def f():\n    import grader_pipeline.cli",
            ROOMS,
        ),
        ("grader_pipeline/sample_api/wire.py", "import grader_pipeline.settings", ROOMS),
        ("grader_pipeline/new.py", "", ROOMS),
        ("grader_pipeline/sheet/google/chart.py", "import grader_pipeline.sheet.resource", CIRCLE),
        ("grader_pipeline/page/page.py", "import grader_pipeline_tests.grader", ROOF),
        ("grader_pipeline_tests/grader.py", "import benchmarks.lab", ROOF),
    ],
    ids=["up", "up and late", "sample", "room without a floor", "circle", "tests", "benchmarks"],
)
def test_an_import_against_the_order_is_found(
    tmp_path: Path, file: str, line: str, broken: str
) -> None:
    for root in ROOTS:
        shutil.copytree(CHECKOUT / root, tmp_path / root, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as module:
        module.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert f"{broken} BROKEN" in done.stdout.splitlines(), done.stdout

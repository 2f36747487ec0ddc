"""The built package, and an environment that has it instead of the checkout.

``python -m grader_pipeline_tests.wheel ARGUMENTS…`` builds the wheel once, installs it, and runs
pytest with these arguments on it, in a folder that is not the checkout: `make test ON=wheel`.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

_VARIABLE = "TESTS_ON_WHEEL_OF"

ON_WHEEL = _VARIABLE in os.environ
"""Whether the tests run on the built package."""

CHECKOUT = Path(os.environ.get(_VARIABLE) or Path(__file__).parents[1])
"""The folder of the repository, wherever the tests run."""

WHEEL = CHECKOUT / "build" / "wheel"
"""The folder of the wheel that the suite runs on."""


def main() -> None:
    """Become pytest in the environment of the wheel."""
    python = make_environment(WHEEL.with_name("wheel-env"), build_wheel(WHEEL))
    run = WHEEL.with_name("wheel-run")
    shutil.rmtree(run / "grader_pipeline_tests", ignore_errors=True)
    shutil.copytree(
        CHECKOUT / "grader_pipeline_tests", run / "grader_pipeline_tests", ignore=_LEFTOVERS
    )
    shutil.copy(CHECKOUT / "pyproject.toml", run)
    os.chdir(run)
    (package,) = python.parents[1].glob("lib/*/site-packages/grader_pipeline")
    environment = os.environ | {_VARIABLE: str(CHECKOUT), "TESTED_PACKAGE": str(package)}
    os.execve(python, [python, "-m", "pytest", *sys.argv[1:]], environment)


def copy_checkout(folder: Path) -> Path:
    """Copy what git has to ``folder``. Setuptools leaves files where it builds, and finds them."""
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(CHECKOUT, folder, symlinks=True, ignore=_LEFTOVERS))


def build_wheel(folder: Path, of: Path | None = None) -> Path:
    """The wheel of the checkout, or of another source, as `pip wheel .` builds it."""
    shutil.rmtree(folder, ignore_errors=True)
    source = of or copy_checkout(folder / "source")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index",
         "--no-build-isolation", "--wheel-dir", folder, source],
        check=True,
    )  # fmt: skip
    if of is None:
        shutil.rmtree(source)
    return wheel_in(folder)


def wheel_in(folder: Path) -> Path:
    """The one wheel of a folder."""
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_environment(folder: Path, wheel: Path) -> Path:
    """Install the wheel in an environment that shares the dependencies of this one.

    A folder named in a .pth file is searched, its own .pth files are not read. One of those leads
    to the checkout. Gives the environment's Python.
    """
    venv.create(folder, clear=True, symlinks=True)
    places = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", places))
    dependencies = Path(sysconfig.get_path("purelib"))
    (packages / "dependencies.pth").write_text(f"{dependencies}\n")
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--no-cache", "--no-config", "--python", python, wheel],
        check=True,
    )  # fmt: skip
    ours = Path(sys.executable).parent
    for script in [*ours.glob("dagster*"), *ours.glob("dg")]:
        copy = Path(shutil.copy(script, python.parent))
        copy.write_text(copy.read_text().replace(f"{ours}/", f"{python.parent}/"))
    return python


_LEFTOVERS = shutil.ignore_patterns(".*", "build", "__pycache__", "*.egg-info")

if __name__ == "__main__":
    main()

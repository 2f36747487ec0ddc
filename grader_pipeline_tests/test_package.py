"""The built package is the whole product: all files, no other, and a day runs from it alone."""

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import openpyxl
import pytest

import grader_pipeline
from grader_pipeline import statements
from grader_pipeline_tests import wheel as wheels
from grader_pipeline_tests.grader import attempt, rows, running
from grader_pipeline_tests.wheel import CHECKOUT, ON_WHEEL

pytestmark = pytest.mark.processes

DAY = "2023-05-31"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the suite runs on, or one that is built for these tests."""
    if ON_WHEEL:
        return wheels.wheel_in(wheels.WHEEL)
    return wheels.build_wheel(tmp_path_factory.mktemp("wheel") / "built")


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel and no checkout."""
    if ON_WHEEL:
        return Path(sys.executable)
    return wheels.make_environment(tmp_path_factory.mktemp("environment"), wheel)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, and a grader that has a day."""
    (folder := tmp_path / "empty").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GRADER_HOME")
    with running() as grader:
        grader.answer = rows([
            attempt(f"{DAY} 09:0{n}:00", f"{n:032x}", verdict)
            for n in range(6) for verdict in [None if n < 3 else n % 2]
        ])  # fmt: skip
        monkeypatch.setenv("GRADER_API_URL", grader.url)
        monkeypatch.setenv("GRADER_API_CLIENT", "school")
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", "key")
        yield folder


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def sources() -> set[str]:
    """The files of the checkout that are the product."""
    package = CHECKOUT / "grader_pipeline"
    found = {path for kind in ("py", "jinja") for path in package.rglob(f"*.{kind}")}
    found |= {package / "py.typed", *(package / "roles").glob("*.yaml")}
    names = {path.relative_to(CHECKOUT).as_posix() for path in found}
    sql = {path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob("sql/**/*.sql")}
    return names | {f"grader_pipeline/{name}" for name in sql}


def contents(wheel: Path) -> set[str]:
    """The files of a wheel, but for those that describe it."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_has_each_file_of_the_product_and_nothing_else(wheel: Path) -> None:
    assert contents(wheel) == sources()
    assert len(sources()) > 150


def test_the_wheel_of_the_source_distribution_is_the_same(tmp_path: Path) -> None:
    source = wheels.copy_checkout(tmp_path / "source")
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, tmp_path], cwd=source, check=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(tmp_path, filter="data")
    unpacked = tmp_path / archive.name.removesuffix(".tar.gz")
    assert contents(wheels.build_wheel(tmp_path / "wheel", of=unpacked)) == sources()


def test_python_and_sql_come_from_one_tree_and_the_suite_runs_on_what_it_says() -> None:
    (package,) = map(Path, grader_pipeline.__path__)
    assert package / "sql" == statements.SQL
    if ON_WHEEL:
        assert package.parent.name == "site-packages"
        assert not package.is_relative_to(CHECKOUT / "grader_pipeline")
    else:
        assert package == CHECKOUT / "grader_pipeline"
        assert str((package / "sql").readlink()) == "../sql"
    asked = "import grader_pipeline; print(*grader_pipeline.__path__)"
    assert run(sys.executable, "-c", asked).strip() == str(package)


def test_no_module_finds_its_files_by_its_own_path() -> None:
    """importlib.resources works in the checkout and in an installed package."""
    modules = Path(*grader_pipeline.__path__).rglob("*.py")
    assert [path.name for path in modules if "__file__" in path.read_text()] == []


def test_the_wheel_alone_materializes_a_day_with_all_its_reports(
    python: Path, settings: Path, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dagster_home := tmp_path / "dagster").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    target = ("-m", "grader_pipeline.definitions")
    run(python, "-m", "dagster", "asset", "materialize", "--select", "*", "--partition", DAY,
        *target)  # fmt: skip
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        done = {key.to_user_string() for key in instance.all_asset_keys()}
        reports = {path.stem for path in (CHECKOUT / "sql" / "reports").glob("*.sql")}
        assert reports | {"raw_attempts", "sheet_report"} <= done
        missing = [
            name for name in done
            if not instance.get_latest_materialization_event(dg.AssetKey(name))
        ]  # fmt: skip
    assert missing == []
    (workbook,) = (settings / ".grader").glob("*.xlsx")
    assert openpyxl.load_workbook(workbook).worksheets[0]["A2"].value is not None


def test_the_commands_of_the_wheel_run_in_an_empty_folder(python: Path, settings: Path) -> None:
    command = python.with_name("grader-pipeline")
    assert "usage: grader-pipeline sample-api" in run(command, "sample-api", "--help")
    said = run(command, "doctor")
    assert f"Settings: no .env in {settings}; GRADER_HOME: {settings / '.grader'}\n" in said
    assert not re.search("^FAIL", said, re.MULTILINE)

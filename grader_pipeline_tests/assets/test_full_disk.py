"""A full disk at each step of a day: nothing is half written, and the error says what to do."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from grader_pipeline.asset_names import ASSET_NAMES
from grader_pipeline.failures import RETRY_RUN_TAG
from grader_pipeline.settings import Settings
from grader_pipeline.storage import SUFFIXES
from grader_pipeline_tests.assets.conftest import Run, failure_of
from grader_pipeline_tests.grader import Grader, attempt, learner, rows
from grader_pipeline_tests.small_disk import fill, make_room, names, small_disk

DAY = "2023-05-31"
STEPS = list(ASSET_NAMES)
SOME, MORE = 10, 4000

Query = Callable[..., list[tuple[Any, ...]]]


def answer(number: int) -> Any:
    return rows(
        [
            attempt(f"{DAY} 08:{n // 60 % 60:02}:{n % 60:02}", learner(n), url=None)
            for n in range(number)
        ]
    )


@pytest.fixture
def tmpdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """TMPDIR on a small disk."""
    with small_disk(tmp_path / "tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        yield folder


def full(result: Any, folder: Path, setting: str) -> str:
    """The text of a day that failed because the disk of ``folder`` is full."""
    said = failure_of(result)
    assert f"The disk of {folder} is full" in said
    assert f"set {setting} to a folder on a larger disk, and run the day again" in said
    assert result.dagster_run.tags.get(RETRY_RUN_TAG) == "false"
    return said


@pytest.mark.parametrize("step", STEPS[:2])
def test_a_full_tmpdir_is_named_and_left_empty(
    run_day: Run, grader: Grader, tmpdir: Path, query: Query, step: str
) -> None:
    grader.answer = answer(MORE)
    if step == STEPS[1]:
        assert run_day(DAY, selection=STEPS[:1]).success
    stored = names(Path(Settings().storage))
    fill(tmpdir, leave=64 * 1024)
    full(run_day(DAY, selection=[step]), tmpdir, "TMPDIR")
    assert names(tmpdir) == []
    assert names(Path(Settings().storage)) == stored
    make_room(tmpdir)
    assert run_day(DAY).success
    assert query("SELECT loaded + already_there FROM grader_load") == [(MORE,)]


@pytest.mark.parametrize("step", STEPS[:2])
def test_a_full_storage_keeps_the_days_file_and_says_how_much_is_needed(
    run_day: Run, grader: Grader, query: Query, step: str
) -> None:
    with small_disk(Path(Settings().storage)) as storage:
        grader.answer = answer(SOME)
        assert run_day(DAY).success
        grader.answer = answer(MORE)
        if step == STEPS[1]:
            assert run_day(DAY, selection=STEPS[:1]).success
        before = {name: (storage / name).read_bytes() for name in names(storage)}
        fill(storage, leave=64 * 1024)
        said = full(run_day(DAY, selection=[step]), storage / step, "GRADER_STORAGE")
        assert "0.1 MB are free" in said
        assert "MB are needed" in said
        assert {name: (storage / name).read_bytes() for name in names(storage)} == before
        make_room(storage)
        assert run_day(DAY).success
        assert (storage / step / f"{DAY}{SUFFIXES[step]}").stat().st_size > 64 * 1024
        assert query("SELECT loaded + already_there FROM grader_load") == [(MORE,)]


@pytest.fixture
def small_tablespace(database_url: str) -> Iterator[Path]:
    """The disk of the database's tables and temporary tables."""
    with (
        tempfile.TemporaryDirectory(prefix="grader-small-") as parent,
        small_disk(Path(parent, "disk"), 24 * 1024 * 1024) as folder,
        psycopg.connect(database_url, autocommit=True) as db,
    ):
        ((data, name),) = db.execute("SELECT current_setting('data_directory'), current_database()")
        Path(parent).chmod(0o755)
        owner = Path(data).stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        db.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        for setting in ("default_tablespace", "temp_tablespaces"):
            db.execute(f"ALTER DATABASE {name} SET {setting} = '{name}'")
        yield folder
        # What is left of the database's tables goes with it, before the disk.
        server = database_url.replace(f"/{name}?", "/postgres?")
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            admin.execute(f"DROP TABLESPACE {name}")
            admin.execute(f"CREATE DATABASE {name}")


def test_a_full_disk_of_the_database_stores_nothing_and_is_named(
    small_tablespace: Path, run_day: Run, grader: Grader, query: Query
) -> None:
    grader.answer = answer(SOME)
    assert run_day(DAY).success
    before = [query(f"SELECT * FROM {table} ORDER BY 1") for table in ("grader", "grader_load")]
    grader.answer = answer(MORE)
    fill(small_tablespace, leave=64 * 1024)
    result = run_day(DAY)
    said = failure_of(result)
    assert "The disk of the database is full (" in said
    assert "No space left on device" in said
    assert "Make room on the database server's disk" in said
    assert result.dagster_run.tags.get(RETRY_RUN_TAG) == "false"
    after = [query(f"SELECT * FROM {table} ORDER BY 1") for table in ("grader", "grader_load")]
    assert after == before
    make_room(small_tablespace)
    assert run_day(DAY).success
    assert query("SELECT count(*) FROM grader") == [(MORE,)]


@pytest.mark.parametrize("where", ["TMPDIR", "GRADER_HOME"])
def test_a_full_disk_leaves_the_workbook_as_it_was(
    run_day: Run, grader: Grader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("GRADER_STORAGE", str(tmp_path / "storage"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    with small_disk(Settings().grader_home) as home, small_disk(tmp_path / "tmp") as tmpdir:
        grader.answer = answer(SOME)
        assert run_day(DAY).success
        before = Settings().workbook.read_bytes()
        files = names(home)
        grader.answer = answer(2 * SOME)
        assert run_day(DAY, selection=STEPS[:-1]).success
        disk = {"TMPDIR": tmpdir, "GRADER_HOME": home}[where]
        fill(disk, leave=4096)
        full(run_day(DAY, selection=STEPS[-1:]), disk, where)
        assert Settings().workbook.read_bytes() == before
        assert names(home) == files
        assert names(tmpdir) == []
        make_room(disk)
        assert run_day(DAY, selection=STEPS[-1:]).success
        assert Settings().workbook.read_bytes() != before

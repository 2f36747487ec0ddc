"""How many days the local disks have room for follows from what the last days took."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader_pipeline.asset_names import RAW_ATTEMPTS, VALIDATED_ATTEMPTS
from grader_pipeline.local.disk_forecast import LAST, Disk, disks
from grader_pipeline.settings import Settings
from grader_pipeline.storage import SUFFIXES
from grader_pipeline_tests.small_disk import small_disk

MB = 1_000_000


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Path]]:
    """Each folder on a disk of its own, and PostgreSQL elsewhere."""
    folders = {
        "GRADER_HOME": Settings().grader_home,
        "GRADER_STORAGE": tmp_path / "storage",
        "TMPDIR": tmp_path / "tmp",
    }
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/grader")
    monkeypatch.setenv("GRADER_STORAGE", str(folders["GRADER_STORAGE"]))
    monkeypatch.setattr(tempfile, "tempdir", str(folders["TMPDIR"]))
    sizes = dict(zip(folders, (8 * MB, 64 * MB, 16 * MB), strict=True))
    mounted = [small_disk(folder, sizes[name]) for name, folder in folders.items()]
    with mounted[0], mounted[1], mounted[2]:
        yield folders


def keep(folder: Path, day: int, raw: int, validated: int) -> None:
    for asset, size in {RAW_ATTEMPTS: raw, VALIDATED_ATTEMPTS: validated}.items():
        file = folder / asset / f"2023-{day // 28 + 1:02}-{day % 28 + 1:02}{SUFFIXES[asset]}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bytes(size))


def of(setting: str) -> Disk:
    (disk,) = [disk for disk in disks(Settings()) if setting in disk.folders]
    return disk


def test_the_largest_of_the_last_days_counts(places: dict[str, Path]) -> None:
    storage = places["GRADER_STORAGE"]
    keep(storage, 0, 9 * MB, 9 * MB)
    for day in range(1, LAST + 1):
        keep(storage, day, 100_000, 100_000)
    keep(storage, 7, 2 * MB, MB)
    disk = of("GRADER_STORAGE")
    assert disk.folders == {"GRADER_STORAGE": storage}
    assert (disk.day, disk.meanwhile) == (3 * MB, 0)
    assert disk.days == disk.free // (3 * MB)
    assert of("TMPDIR").meanwhile == 3 * MB


def test_a_home_needs_room_for_mails_logs_and_a_second_workbook(places: dict[str, Path]) -> None:
    settings = Settings()
    for folder, name, size in [
        (settings.outbox_dir, "a.eml", MB // 2),
        (settings.outbox_dir, "b.eml", 1000),
        (settings.logs_dir, "app_log.txt", 1000),
        (settings.logs_dir, "app_log.txt.2023-05-31", MB // 2),
    ]:
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(bytes(size))
    settings.workbook.write_bytes(bytes(MB))
    disk = of("GRADER_HOME")
    assert (disk.day, disk.meanwhile) == (MB, MB)
    assert disk.days == (disk.free - MB) // MB


def test_folders_on_one_disk_share_its_room(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = places["GRADER_HOME"]
    monkeypatch.delenv("GRADER_STORAGE")
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    (home / "storage").mkdir()
    keep(home / "storage", 1, MB, MB)
    (disk,) = disks(Settings())
    assert list(disk.folders) == list(places)
    assert (disk.day, disk.meanwhile) == (2 * MB, 2 * MB)
    assert disk.days == (disk.free - 2 * MB) // (2 * MB)


def test_the_embedded_database_grows_by_a_day_in_proportion_to_its_files(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    base = places["GRADER_HOME"] / "postgres" / "data" / "base"
    for name, size in {"1": 100_000, "5": 100_000, "16384": 100_000 + 3 * MB}.items():
        (base / name).mkdir(parents=True)
        (base / name / "1").write_bytes(bytes(size))
    for day, size in enumerate([MB, MB, 4 * MB]):
        keep(places["GRADER_STORAGE"], day, size // 2, size // 2)
    # Three days made 3 MB of it. The largest is twice the average one.
    disk = of("GRADER_HOME")
    assert (disk.day, disk.meanwhile) == (2 * MB, 4 * MB)


def test_the_next_day_that_does_not_fit_is_no_day(places: dict[str, Path]) -> None:
    keep(places["GRADER_STORAGE"], 1, 20 * MB, 20 * MB)
    assert (of("GRADER_STORAGE").days, of("TMPDIR").days) == (0, 0)


def test_an_object_store_and_its_days_are_no_local_disk(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_STORAGE", "memory://bucket/grader")
    found = disks(Settings())
    assert [list(disk.folders) for disk in found] == [["GRADER_HOME"], ["TMPDIR"]]

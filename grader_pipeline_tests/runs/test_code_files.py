"""The hash of the code: the same where the same files are, and another where one differs."""

import os
from pathlib import Path

import pytest

from grader_pipeline.runs import code_files


@pytest.fixture
def hosts(tmp_path: Path) -> list[list[tuple[Path, str]]]:
    """The folders of code, SQL and reports of two hosts, in other places and of another age."""
    found = []
    for host in ("one", "two"):
        folders = [(tmp_path / host / name, "**/*.*") for name in ("code", "sql", "reports")]
        for folder, _ in folders:
            (folder / "deep").mkdir(parents=True)
            (folder / "deep" / "file.py").write_text(f"of {folder.name}")
        found.append(folders)
    os.utime(found[1][0][0] / "deep" / "file.py", (0, 0))
    return found


@pytest.fixture
def hash_of(monkeypatch: pytest.MonkeyPatch):
    def of(folders: list[tuple[Path, str]]) -> str:
        monkeypatch.setattr(code_files, "_folders", lambda: folders)
        return code_files.code_hash()

    return of


def test_hosts_with_the_same_files_have_the_same_hash_wherever_they_are(hosts, hash_of) -> None:
    assert hash_of(hosts[0]) == hash_of(hosts[1])


@pytest.mark.parametrize("folder", [0, 1, 2])
@pytest.mark.parametrize("change", ["changed", "moved", "added", "removed"])
def test_a_file_that_differs_gives_another_hash(hosts, hash_of, folder: int, change: str) -> None:
    before = hash_of(hosts[0])
    file = hosts[0][folder][0] / "deep" / "file.py"
    if change == "changed":
        file.write_text("another")
    elif change == "moved":
        file.rename(file.with_name("another.py"))
    elif change == "added":
        file.with_name("another.py").write_text("")
    else:
        file.unlink()
    assert hash_of(hosts[0]) != before


def test_a_host_without_own_reports_has_another_hash_than_one_with_some(hosts, hash_of) -> None:
    assert hash_of(hosts[0][:2]) != hash_of(hosts[0])

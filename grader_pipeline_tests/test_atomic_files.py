"""A file is replaced in one step, whole or not at all, and nothing else is left beside it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader_pipeline.atomic_files import replacing


def replace(path: Path, content: bytes, **how: int) -> None:
    with replacing(path, **how) as file:
        file.write(content)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("how", [{}, {"one_writer": True}])
def test_the_old_content_is_there_until_the_block_ends(tmp_path, how):
    path = tmp_path / "file"
    replace(path, b"a longer old content", **how)
    with replacing(path, **how) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"a longer old content"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("how", [{}, {"one_writer": True}])
@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, how, error):
    path = tmp_path / "file"
    replace(path, b"old")
    with pytest.raises(error), replacing(path, **how) as file:
        file.write(b"new")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_replacement_that_fails_leaves_nothing_behind(tmp_path):
    (folder := tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        replace(folder, b"new")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_new_file_is_its_users_only_unless_it_is_said_otherwise(tmp_path):
    old = os.umask(0o022)
    try:
        replace(tmp_path / "private", b"")
        replace(tmp_path / "shared", b"", mode=0o666)
    finally:
        os.umask(old)
    assert (mode(tmp_path / "private"), mode(tmp_path / "shared")) == (0o600, 0o644)


def test_the_rights_of_the_old_file_are_kept(tmp_path):
    path = tmp_path / "file"
    replace(path, b"old")
    path.chmod(0o664)
    replace(path, b"new")
    assert mode(path) == 0o664


def test_one_writer_overwrites_what_a_killed_one_left(tmp_path):
    path = tmp_path / "file"
    with replacing(path, one_writer=True):
        (left,) = tmp_path.iterdir()
    left.write_bytes(b"longer than the next content")
    replace(path, b"next", one_writer=True)
    assert path.read_bytes() == b"next"
    assert list(tmp_path.iterdir()) == [path]


def test_many_writers_at_once_leave_the_content_of_one(tmp_path):
    path = tmp_path / "file"

    def write(number: int) -> None:
        with replacing(path) as file:
            for _ in range(200):
                file.write(b"%d" % number * 1000)

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(write, range(1, 9)))
    assert len(set(path.read_bytes())) == 1
    assert path.stat().st_size == 200_000
    assert list(tmp_path.iterdir()) == [path]

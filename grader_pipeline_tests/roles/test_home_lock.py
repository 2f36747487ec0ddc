"""A folder has one owner at a time, also beside a launcher of the release before."""

import fcntl
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from grader_pipeline.roles import home_lock
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.home_lock import sole_owner

OWNER = """
import sys
from pathlib import Path
from grader_pipeline.roles.home_lock import sole_owner
with sole_owner(Path(sys.argv[1])):
    print("owned", flush=True)
    sys.stdin.read()
"""


def own(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OWNER, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "owned\n"
    return process


def test_a_second_owner_reads_the_first_ones_process_id(tmp_path, monkeypatch):
    monkeypatch.setattr(home_lock, "PATIENCE", 0.2)
    with own(tmp_path) as first:
        for _ in range(2):
            with (
                pytest.raises(LauncherError, match=f"{tmp_path} is in use by process {first.pid}"),
                sole_owner(tmp_path),
            ):
                pass
        first.kill()


def test_a_folder_is_free_when_its_owner_is_killed(tmp_path):
    with own(tmp_path) as first:
        first.kill()
    with sole_owner(tmp_path):
        assert json.loads((tmp_path / "owner.lock").read_text()) == {"pid": os.getpid()}


def test_an_owner_that_is_ending_is_waited_for(tmp_path):
    with own(tmp_path) as first:
        ending = threading.Timer(0.5, first.kill)
        ending.start()
        with sole_owner(tmp_path):
            assert first.wait(5)


def test_an_owner_of_release_0_1_and_one_of_this_release_exclude_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(home_lock, "PATIENCE", 0)
    with (tmp_path / "owner.lock").open("a+") as older:
        fcntl.flock(older, fcntl.LOCK_EX | fcntl.LOCK_NB)
        json.dump({"pid": 4711}, older)
        older.flush()
        with pytest.raises(LauncherError, match="in use by process 4711"), sole_owner(tmp_path):
            pass
    with sole_owner(tmp_path), (tmp_path / "owner.lock").open("a+") as older:
        with pytest.raises(BlockingIOError):
            fcntl.flock(older, fcntl.LOCK_EX | fcntl.LOCK_NB)
        older.seek(0)
        assert json.load(older) == {"pid": os.getpid()}


@pytest.mark.parametrize("content", ["", "{", "7", "[]", "{}"])
def test_a_note_that_cannot_be_read_names_no_process(tmp_path, monkeypatch, content):
    monkeypatch.setattr(home_lock, "PATIENCE", 0)
    with sole_owner(tmp_path):
        (tmp_path / "owner.lock").write_text(content)
        with pytest.raises(LauncherError, match="in use by another process"), sole_owner(tmp_path):
            pass


@pytest.mark.parametrize(
    "make", [Path.touch, lambda path: path.joinpath("owner.lock").mkdir(parents=True)]
)
def test_a_folder_that_cannot_be_written_says_what_to_set(tmp_path, make):
    make(folder := tmp_path / "folder")
    with (
        pytest.raises(
            LauncherError, match=f"{re.escape(str(folder))} cannot be written .*GRADER_HOME"
        ),
        sole_owner(folder),
    ):
        pass

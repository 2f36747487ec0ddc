"""One file a day: stored whole or not at all, and found again."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import dagster as dg
import pytest
from fsspec.registry import _registry
from upath import UPath

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.object_store import is_local
from grader_pipeline.partitions import school_day
from grader_pipeline.storage import (
    DayFiles,
    Replacement,
    answers,
    days_with_answers,
    kept_answer,
    replace_answer,
)

DAY = "2023-05-31"


@pytest.fixture(params=["default", "file", "memory"])
def storage(request, monkeypatch, tmp_path) -> UPath:
    """Where GRADER_STORAGE says the files go, for every kind of place."""
    if request.param == "default":
        return UPath(tmp_path / "home" / "storage")
    urls = {"file": f"file://{tmp_path}/a folder", "memory": f"memory://{uuid.uuid4()}/grader"}
    monkeypatch.setenv("GRADER_STORAGE", place := urls[request.param])
    return UPath(place)


def keep(
    content: bytes,
    folder: Path,
    name: str = "answer.json.zst",
    day: str = DAY,
    former: str | None = None,
) -> None:
    """Store a file as raw_attempts does, and keep that of the hash ``former``."""
    (file := folder / name).write_bytes(content)
    context = dg.build_output_context(asset_key="raw_attempts", partition_key=day)
    DayFiles().handle_output(context, Replacement(file, former) if former else file)


def load(asset: str = "raw_attempts", day: str = DAY) -> UPath:
    return DayFiles().load_input(dg.build_input_context(asset_key=asset, partition_key=day))


def test_a_file_is_kept_under_asset_and_day_and_found_again(storage, tmp_path):
    keep(b"first", tmp_path)
    assert (storage / "raw_attempts" / f"{DAY}.json.zst").read_bytes() == b"first"
    with load().open("rb") as file:
        assert file.read() == b"first"
    assert DayFiles().path("raw_attempts", school_day(DAY)).exists()


def test_a_new_file_replaces_the_days_and_no_other(storage, tmp_path):
    keep(b"another day", tmp_path, day="2023-05-30")
    for content in (b"a long first answer", b"second"):
        keep(content, tmp_path)
    assert load().read_bytes() == b"second"
    assert load(day="2023-05-30").read_bytes() == b"another day"
    assert len(list((storage / "raw_attempts").iterdir())) == 2


@pytest.mark.parametrize("beside", [f"{DAY}.backup", f"{DAY}.a", f"{DAY}.json.zst.old", DAY])
def test_a_file_beside_the_days_is_never_used(storage, tmp_path, beside):
    (storage / "raw_attempts").mkdir(parents=True)
    (storage / "raw_attempts" / beside).write_bytes(b"another")
    with pytest.raises(PermanentFailure, match="materialize raw_attempts"):
        load()
    keep(b"the day's", tmp_path)
    assert load().read_bytes() == b"the day's"
    assert (storage / "raw_attempts" / beside).read_bytes() == b"another"


def test_a_missing_file_names_the_asset_to_materialize(storage, tmp_path):
    with pytest.raises(PermanentFailure, match=f"{DAY}: materialize raw_attempts of that day"):
        load()
    keep(b"", tmp_path, day="2023-05-30")
    with pytest.raises(PermanentFailure, match="materialize validated_attempts"):
        load("validated_attempts", day="2023-05-30")
    with pytest.raises(PermanentFailure, match="materialize raw_attempts"):
        load()
    assert [path.name for path in storage.iterdir()] == ["raw_attempts"]


def test_a_key_that_is_no_day_reaches_no_path(storage, tmp_path):
    with pytest.raises(PermanentFailure, match="YYYY-MM-DD"):
        keep(b"x", tmp_path, day="../../x")
    with pytest.raises(PermanentFailure, match="YYYY-MM-DD"):
        load(day="../../x")
    assert not storage.exists()


def test_what_is_written_is_reported(tmp_path):
    (file := tmp_path / "attempts.parquet").write_bytes(b"12345")
    context = dg.build_output_context(asset_key="validated_attempts", partition_key=DAY)
    DayFiles().handle_output(context, file)
    path = tmp_path / "home" / "storage" / "validated_attempts" / f"{DAY}.parquet"
    logged = {name: value.value for name, value in context.get_logged_metadata().items()}
    assert logged == {"path": str(path), "size (bytes)": 5}
    assert path.read_bytes() == b"12345"


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    keep(b"old", tmp_path)
    context = dg.build_output_context(asset_key="raw_attempts", partition_key=DAY)
    with pytest.raises(OSError, match="directory"):
        DayFiles().handle_output(context, tmp_path)
    folder = tmp_path / "home" / "storage" / "raw_attempts"
    assert [path.name for path in folder.iterdir()] == [f"{DAY}.json.zst"]
    assert load().read_bytes() == b"old"


WRITER = """
import sys
from pathlib import Path
import dagster as dg
from grader_pipeline.storage import DayFiles
context = dg.build_output_context(asset_key="raw_attempts", partition_key=sys.argv[2])
DayFiles().handle_output(context, Path(sys.argv[1]))
"""


@pytest.mark.processes
def test_a_writer_killed_while_writing_leaves_the_old_file_whole(tmp_path):
    keep(b"the old answer", tmp_path)
    folder = tmp_path / "home" / "storage" / "raw_attempts"
    # A pipe without an end keeps the writer in the middle of its work.
    os.mkfifo(endless := tmp_path / "new.json.zst")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(endless), DAY])
    try:
        with endless.open("wb") as pipe:
            pipe.write(b"new" * 1_000_000)
            pipe.flush()
            until = time.monotonic() + 60
            while not (begun := [p for p in folder.glob(".*.new") if p.stat().st_size]):
                assert time.monotonic() < until
                time.sleep(0.02)
            writer.send_signal(signal.SIGKILL)
            assert writer.wait() == -signal.SIGKILL
    finally:
        writer.kill()
        writer.wait()
    assert begun
    assert load().read_bytes() == b"the old answer"
    assert [p.name for p in folder.glob("[!.]*")] == [f"{DAY}.json.zst"]
    keep(b"the next answer", tmp_path, name="next.json.zst")
    assert load().read_bytes() == b"the next answer"


DATE = dt.date.fromisoformat(DAY)


def test_every_answer_of_a_day_is_found_the_current_one_first(storage, tmp_path):
    assert answers(DATE) == days_with_answers() == []
    keep(b"first", tmp_path)
    keep(b"second", tmp_path, former=b"first".hex())
    keep(b"third", tmp_path, former=b"second".hex())
    keep(b"another day", tmp_path, day="2023-05-30")
    assert {path.read_bytes() for path in answers(DATE)} == {b"first", b"second", b"third"}
    assert answers(DATE)[0].read_bytes() == b"third"
    assert kept_answer(DATE, b"first".hex()).read_bytes() == b"first"
    assert [path.name for path in (storage / "raw_attempts").iterdir() if DAY in path.name] == [
        f"{DAY}.json.zst"
    ]
    load().unlink()
    assert len(answers(DATE)) == 2
    assert [str(day) for day in days_with_answers()] == ["2023-05-30", DAY]


def test_an_answer_that_is_replaced_keeps_its_place_among_the_answers(storage, tmp_path):
    keep(b"first", tmp_path)
    keep(b"second", tmp_path, former="11")
    (file := tmp_path / "new").write_bytes(b"changed")
    for answer in answers(DATE):
        replaced = replace_answer(answer, file, "22")
        assert replaced.read_bytes() == b"changed"
        assert replaced in answers(DATE)
    assert answers(DATE) == [load(), kept_answer(DATE, "22")]
    replace_answer(kept_answer(DATE, "22"), file, "22")
    assert len(answers(DATE)) == 2


def test_a_storage_is_probed_by_writing_to_it_and_left_as_it_was(storage):
    said = DayFiles().probe()
    if is_local(storage):
        assert "can be made and written" in said
        assert not storage.exists()
        storage.mkdir(parents=True)
    assert "can be written" in DayFiles().probe()
    assert list(storage.iterdir()) == []


def test_a_missing_driver_for_s3_is_named_by_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setenv("GRADER_STORAGE", "s3://bucket/grader")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    # Another test may have used it in this process.
    monkeypatch.delitem(_registry, "s3", raising=False)
    with pytest.raises(PermanentFailure, match=r"pip install 'grader-pipeline\[s3\]'"):
        DayFiles().probe()


@pytest.mark.parametrize("place", ["{tmp}/file/below", "nosuchstore://bucket"])
def test_a_storage_that_cannot_be_written_is_an_error_that_names_the_setting(
    monkeypatch, tmp_path, place
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRADER_STORAGE", place.format(tmp=tmp_path))
    with pytest.raises(PermanentFailure, match=r"GRADER_STORAGE .* cannot be written"):
        DayFiles().probe()

"""The file of a validated day: damage is found and said, and trouble of the disk is no damage."""

import errno
import io
import itertools
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grader_pipeline.attempts import validated_file
from grader_pipeline.attempts.columns import NAMES
from grader_pipeline.attempts.schema import Reason
from grader_pipeline.attempts.validated_file import (
    FILE_SCHEMA,
    DamagedFileError,
    Tally,
    attempts,
    opened,
    quarantine,
    tables,
    tally_of,
    written,
)


def day_file(folder: Path, count: int = 100) -> Path:
    """A day whose every tenth element is refused."""
    path = folder / "day.parquet"
    rows = [
        {"position": n, "reasons": None, "row": None, "lis_result_sourcedid": f"text {n}"}
        if n % 10
        else {"position": n, "reasons": [Reason.EMPTY_FIELD.value], "row": f"element {n}"}
        for n in range(count)
    ]
    with written(path, Tally("hash", received=count, rejected=count // 10)) as write:
        write(pa.Table.from_pylist(rows, FILE_SCHEMA))
    return path


def read(body: bytes) -> tuple[object, object]:
    file = opened(io.BytesIO(body))
    return tally_of(file), [table.to_pylist() for table in tables(file, FILE_SCHEMA.names)]


def test_attempts_and_refused_elements_are_all_of_the_day_however_many_are_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validated_file, "_READ_BATCH", 7)
    with day_file(tmp_path).open("rb") as body:
        file = opened(body)
        valid, refused = list(attempts(file)), list(quarantine(file))
    assert {table.num_rows + part.num_rows for table, part in zip(valid, refused, strict=True)} == {
        7, 100 % 7,
    }  # fmt: skip
    assert valid[0].column_names == ["position", *NAMES]
    assert refused[0].column_names == ["position", "reasons", "row"]
    positions = [row["position"] for table in valid for row in table.to_pylist()]
    assert positions == [n for n in range(100) if n % 10]
    assert [row for table in refused for row in table.to_pylist()] == [
        {"position": n, "reasons": ["empty_field"], "row": f"element {n}"}
        for n in range(0, 100, 10)
    ]


def test_one_changed_byte_is_found_or_changes_nothing(tmp_path: Path) -> None:
    body = day_file(tmp_path).read_bytes()
    whole, found = read(body), 0
    for place, bits in itertools.product(range(len(body)), (0x01, 0x55, 0xFF)):
        damaged = bytearray(body)
        damaged[place] ^= bits
        try:
            assert read(bytes(damaged)) == whole
        except DamagedFileError:
            found += 1
    # Statistics and the name of the writing program can be changed without harm.
    assert found > 2 * len(body)


@pytest.mark.parametrize("length", [0, 4, 100, -1])
def test_a_file_that_is_cut_short_is_damaged(tmp_path: Path, length: int) -> None:
    with pytest.raises(DamagedFileError, match="cannot be read"):
        read(day_file(tmp_path).read_bytes()[:length])


@pytest.mark.parametrize("metadata", [None, {"other": "x"}, {"tally": "x"}, {"tally": "[]"}])
def test_another_parquet_file_has_no_tally_and_is_damaged(tmp_path: Path, metadata: object) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"position": [1]}).replace_schema_metadata(metadata), path)
    with path.open("rb") as body, pytest.raises(DamagedFileError):
        tally_of(opened(body))


def test_the_tally_of_the_last_release_has_no_checksum(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    with pq.ParquetWriter(path, FILE_SCHEMA) as writer:
        writer.add_key_value_metadata({b"tally": b'{"received": 0, "body_sha256": "hash"}'})
    with path.open("rb") as body:
        assert tally_of(opened(body)) == Tally("hash")


def test_an_error_of_the_disk_is_no_damage(tmp_path: Path) -> None:
    body = day_file(tmp_path, 100_000).read_bytes()

    class FailingDisk(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() < len(body) / 2:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    file = opened(FailingDisk(body))
    with pytest.raises(OSError, match="Input/output error") as raised:
        list(tables(file, ["position", "lis_result_sourcedid"]))
    assert raised.value.errno == errno.EIO

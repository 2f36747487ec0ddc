"""Every answer that attempts were loaded from stays, and every load has its line."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from grader_pipeline import storage
from grader_pipeline.attempts.response import unpacked
from grader_pipeline_tests.assets.conftest import Run, failure_of
from grader_pipeline_tests.grader import Grader, attempt, body, learner, rows
from grader_pipeline_tests.small_disk import fill, make_room, small_disk

DAY = "2023-05-31"
DATE = dt.date.fromisoformat(DAY)
TO_THE_TABLE = ["raw_attempts", "validated_attempts", "grader_table"]
COUNTS = "received, loaded, already_there, duplicates, rejected, differing, updated"
Query = Callable[..., list[tuple[Any, ...]]]


def attempts(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [attempt(f"2023-05-31 09:00:{n:02}", learner(n), **fields) for n in range(number)]


def sha256(elements: list[Any]) -> str:
    return hashlib.sha256(json.dumps(elements).encode()).hexdigest()


def kept() -> list[str]:
    """The hashes of the day's answers but the current one, each as its content has it."""
    found = []
    for path in storage.answers(DATE)[1:]:
        with unpacked(path.open("rb")) as content:
            found.append(hashlib.sha256(content.read()).hexdigest())
        assert path == storage.kept_answer(DATE, found[-1])
    return sorted(found)


def test_an_answer_that_attempts_were_loaded_from_stays_beside_the_next_one(
    run_day: Run, grader: Grader
) -> None:
    versions = [attempts(9), attempts(5), attempts(7, verdict=1), attempts(9)]
    for number, version in enumerate(versions):
        grader.answer = rows(version)
        assert run_day(DAY, selection=TO_THE_TABLE).success
        assert kept() == sorted({sha256(before) for before in versions[:number]})


def test_an_answer_that_no_attempt_was_loaded_from_is_not_kept(
    run_day: Run, grader: Grader
) -> None:
    for number in (9, 5):
        grader.answer = rows(attempts(number))
        assert run_day(DAY, selection=["raw_attempts"]).success
    # Its check fails, so it is not loaded.
    grader.answer = rows([None] * 9)
    assert not run_day(DAY, selection=TO_THE_TABLE).success
    grader.answer = rows(attempts(3))
    assert run_day(DAY, selection=TO_THE_TABLE).success
    assert kept() == []


def test_an_answer_that_is_refused_moves_no_file(run_day: Run, grader: Grader) -> None:
    grader.answer = rows(attempts(9))
    assert run_day(DAY, selection=TO_THE_TABLE).success
    grader.answer = body(b'{"errors": "no"}')
    assert not run_day(DAY, selection=TO_THE_TABLE).success
    assert [path.name for path in storage.answers(DATE)] == [f"{DAY}.json.zst"]


def test_a_process_that_ends_between_copy_and_replacement_loses_no_answer(
    run_day: Run, grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = attempts(9)
    grader.answer = rows(first)
    assert run_day(DAY, selection=TO_THE_TABLE).success
    current, replace = storage.answers(DATE)[0], Path.replace

    def end(new: Path, path: Path) -> Path:
        return 1 / 0 if str(path) == current.path else replace(new, path)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", end)
        grader.answer = rows(attempts(5))
        assert not run_day(DAY, selection=TO_THE_TABLE).success
    assert kept() == [sha256(first)]
    assert run_day(DAY, selection=TO_THE_TABLE).success
    assert kept() == [sha256(first)]


@pytest.mark.processes
def test_a_full_disk_leaves_both_answers_as_they_were(
    run_day: Run, grader: Grader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "storage") as disk:
        monkeypatch.setenv("GRADER_STORAGE", str(disk))
        first = attempts(9)
        grader.answer = rows(first)
        assert run_day(DAY, selection=TO_THE_TABLE).success
        grader.answer = rows(attempts(5))
        fill(disk, leave=0)
        said = failure_of(run_day(DAY, selection=TO_THE_TABLE))
        assert "set GRADER_STORAGE to a folder on a larger disk" in said
        assert kept() == []
        with unpacked(storage.answers(DATE)[0].open("rb")) as content:
            assert json.load(content) == first
        make_room(disk)
        assert run_day(DAY, selection=TO_THE_TABLE).success
        assert kept() == [sha256(first)]


def test_each_load_has_its_line_with_the_counts_and_the_answer_of_that_load(
    run_day: Run, grader: Grader, query: Query
) -> None:
    versions = [attempts(9), [*attempts(5), attempts(1)[0], None], attempts(9, verdict=1)]
    ledgers = []
    for version in versions:
        grader.answer = rows(version)
        assert run_day(DAY, selection=TO_THE_TABLE).success
        ledgers += query(f"SELECT report_date, loaded_at, run_id, body_sha256, {COUNTS}"
                         " FROM grader_load")  # fmt: skip
    lines = query("SELECT report_date, loaded_at, run_id, body_sha256, kept_sha256, "
                  f"{COUNTS} FROM load_history ORDER BY id")  # fmt: skip
    assert [line[:4] + line[5:] for line in lines] == ledgers
    assert [line[3] for line in lines] == [line[4] for line in lines] == [*map(sha256, versions)]


def test_a_load_that_fails_leaves_no_line(
    run_day: Run, grader: Grader, query: Query, database_url: str
) -> None:
    grader.answer = rows(attempts(9))
    assert run_day(DAY, selection=TO_THE_TABLE).success
    with psycopg.connect(database_url) as db:
        db.execute("ALTER TABLE rollup_day ADD CHECK (attempts < 10)")
    grader.answer = rows(attempts(10))
    assert not run_day(DAY, selection=TO_THE_TABLE).success
    assert query("SELECT received FROM load_history") == [(9,)]


def test_the_answer_of_a_release_without_load_history_is_kept(
    run_day: Run, grader: Grader, database_url: str
) -> None:
    """Its process may load a day after the migration. It writes only the ledger."""
    first = attempts(9)
    grader.answer = rows(first)
    assert run_day(DAY, selection=TO_THE_TABLE).success
    with psycopg.connect(database_url) as db:
        db.execute("DELETE FROM load_history")
    grader.answer = rows(attempts(5))
    assert run_day(DAY, selection=TO_THE_TABLE).success
    assert kept() == [sha256(first)]


def test_the_migration_writes_a_line_for_each_line_of_the_ledger(
    run_day: Run, grader: Grader, query: Query, database_url: str
) -> None:
    grader.answer = rows(attempts(9))
    assert run_day(DAY, selection=TO_THE_TABLE).success
    before = query("SELECT * FROM load_history")
    with psycopg.connect(database_url) as db:
        db.execute("DROP TABLE load_history")
        db.execute("DELETE FROM schema_migration WHERE number >= 190")
    assert run_day(DAY, selection=["validated_attempts"]).success
    assert [line[1:] for line in query("SELECT * FROM load_history")] == [
        line[1:] for line in before
    ]

"""``prune`` by hand: on the instance of the database that is in use."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from grader_pipeline_tests import s3_server

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_prune_says_what_it_removed_and_what_it_would_remove(
    database_url: str, home: Path, run: Run
) -> None:
    (old := home / "storage/raw_attempts/2023-05-31.json.zst").parent.mkdir(parents=True)
    old.write_bytes(b"")
    said = run("prune", "--dry-run")
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines() == [
        "1 files of days older than 3 years would be removed.",
        "0 runs older than 90 days would be removed.",
    ]
    assert old.exists()
    assert "removed." in run("prune").stdout
    assert not old.exists()
    with psycopg.connect(database_url) as db:
        assert db.execute("SELECT count(*) FROM dagster.runs").fetchone() == (0,)


def test_a_store_that_is_down_is_an_error_with_what_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3_server.use(monkeypatch, "http://127.0.0.1:1", tmp_path)
    done = run("prune")
    assert done.returncode == 1
    assert "grader-pipeline: The store of GRADER_STORAGE (s3://" in done.stderr
    assert "Traceback" not in done.stderr

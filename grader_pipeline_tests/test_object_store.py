"""On an object store, days' files are what they are in a folder, for all hosts at once.

The store is moto's S3 server, a process. Faults are those of a server in the test.
"""

import datetime as dt
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import pytest
from upath import UPath

from grader_pipeline import prune
from grader_pipeline.failures import RETRY_RUN_TAG, PermanentFailure, TransientFailure
from grader_pipeline.learners.forget import forget
from grader_pipeline.object_store import open_file
from grader_pipeline.prune import prune_files
from grader_pipeline.reports.picture_files import picture, picture_files
from grader_pipeline.storage import (
    DayFiles,
    answers,
    day_file,
    days_with_answers,
    days_with_files,
    kept_answer,
    put,
    stored_files,
)
from grader_pipeline_tests import s3_server
from grader_pipeline_tests.assets.conftest import Run, failure_of, grader, instance, run_day
from grader_pipeline_tests.learners.conftest import new_world
from grader_pipeline_tests.learners.world import GONE, World, days, opened, school
from grader_pipeline_tests.s3_server import BUCKET, SECRET

__all__ = ["grader", "instance", "new_world", "run_day"]
pytestmark = pytest.mark.processes

DATE = dt.date(2023, 5, 31)
OTHER_PROCESS = """
import datetime as dt, sys
from pathlib import Path
from grader_pipeline import storage
from grader_pipeline.object_store import remove
date, new = dt.date(2023, 5, 31), Path("new")
new.write_text(sys.argv[1])
storage.put(new, storage.day_file("raw_attempts", date))
storage.put(new, storage.day_file("validated_attempts", date))
storage.put(new, storage.root() / "pictures" / "hours" / "2023-05-31.png")
kept = storage.kept_answer(date, "11")
remove(kept) if sys.argv[1] == "second" else storage.put(new, kept)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server.running() as address:
        yield address


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> UPath:
    return s3_server.use(monkeypatch, server, tmp_path, tmp_path.name)


def seen() -> tuple[object, ...]:
    """What this process sees of the day's files."""
    return (
        days_with_answers(),
        days_with_files(),
        [path.name for path in answers(DATE)],
        [path.name for _, path in stored_files()],
        [path.name for _, path in picture_files()],
        [open_file(path).read() for path in answers(DATE)],
    )


def test_each_process_sees_at_once_what_another_writes_replaces_and_removes(store: UPath) -> None:
    assert not any(seen())
    answer, kept, day = f"{DATE}.json.zst", "11.json.zst", f"{DATE}.parquet"
    for content, there in (("first", [answer, kept]), ("second", [answer])):
        subprocess.run([sys.executable, "-c", OTHER_PROCESS, content], check=True)
        assert seen() == (
            [DATE], [DATE], there, [*there, day], [f"{DATE}.png"], [content.encode()] * len(there),
        )  # fmt: skip


def test_a_file_that_is_being_read_stays_the_one_that_was_opened(
    store: UPath, tmp_path: Path
) -> None:
    path = day_file("raw_attempts", DATE)
    (new := tmp_path / "new").write_bytes(b"first" * 1000)
    put(new, path)
    with open_file(path) as file:
        begin = file.read(10)
        new.write_bytes(b"other")
        put(new, path)
        assert begin + file.read() == b"first" * 1000
    assert list(Path().glob("grader-store-*")) == []


def tree(root: UPath) -> dict[str, bytes]:
    """Every file below the root by its name there."""
    files = [path for path in root.rglob("*") if path.is_file()]
    start = len(root.path.rstrip("/")) + 1
    return {path.path[start:]: path.read_bytes() for path in files}


def lived(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads, a correction, pictures, a forgotten learner, and the end of the first day's time."""
    elements = school(2)
    world.load(elements)
    world.load(elements | {days(2)[1]: elements[days(2)[1]][1:]})
    for date in elements:
        assert world.run(date, None).success
    with opened() as postgres:
        for date in elements:
            picture(postgres, "hours", date.isoformat())
        forget(postgres, GONE, lambda *_: None)
    with monkeypatch.context() as later:
        later.setattr(prune, "today", lambda: days(2)[1].replace(year=2026))
        assert prune_files() == 3


@pytest.mark.timeout(600)
def test_all_that_happens_to_days_leaves_the_same_files_and_tables_as_in_a_folder(
    new_world: Callable[[str], World],
    server: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    in_folder = new_world("folder")
    lived(in_folder, monkeypatch)
    wanted, reports = tree(UPath(tmp_path / "folder" / "storage")), in_folder.reports()
    on_store = new_world("store")
    store = s3_server.use(monkeypatch, server, tmp_path)
    lived(on_store, monkeypatch)
    found = tree(store)
    assert len(wanted) == 4  # a day with two files, a picture and a kept answer
    assert found.keys() == wanted.keys()
    assert found == wanted
    assert on_store.reports() == reports
    assert on_store.ledger_closes()
    assert not (tmp_path / "store" / "storage").exists()


def test_a_probe_leaves_the_store_as_it_was(store: UPath) -> None:
    assert f"s3://{BUCKET}/" in DayFiles().probe()
    assert list(store.rglob("*")) == []


@contextmanager
def answering(*statuses: int) -> Iterator[str]:
    """A server that answers each request with the next status. The last one stays."""
    left = list(statuses)
    codes = {403: "AccessDenied", 500: "InternalError", 200: ""}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status = left.pop(0) if len(left) > 1 else left[0]
            code = codes[status]
            body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>" if code else ""
            self.send_response(status)
            self.send_header("ETag", '"0"')
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body.encode())

        do_PUT = do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def failures(new: Path) -> Iterator[dg.Failure]:
    """The failure of each thing that is done with a day's file."""
    path = day_file("raw_attempts", DATE)
    context = dg.build_input_context(asset_key="raw_attempts", partition_key=f"{DATE}")
    for do in (
        lambda: put(new, path),
        lambda: put(new, path, keep=kept_answer(DATE, "11")),
        lambda: open_file(path),
        lambda: answers(DATE),
        lambda: DayFiles().load_input(context),
        days_with_answers,
        prune_files,
        picture_files,
        DayFiles().probe,
    ):
        with pytest.raises(dg.Failure) as raised:
            do()
        yield raised.value


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (403, PermanentFailure, "refused: .* Set its credentials"),
        (500, TransientFailure, "did not answer as it should: .* AWS_ENDPOINT_URL_S3"),
        (0, TransientFailure, "did not answer as it should: Could not connect"),
    ],
)
def test_a_store_that_refuses_or_is_down_is_said_so_with_what_to_do_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, kind: type, said: str
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    (new := tmp_path / "new").write_bytes(b"x")
    with answering(status or 200) as address:
        s3_server.use(monkeypatch, address if status else "http://127.0.0.1:1", tmp_path)
        found = list(failures(new))
    for failure in found:
        text = failure.description or ""
        assert type(failure) is kind, text
        assert text.startswith(f"The store of GRADER_STORAGE (s3://{BUCKET}/grader")
        assert re.search(said, text), text
        assert SECRET not in text


def test_a_bucket_that_is_not_there_is_not_made_but_said_so(
    server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    s3_server.use(monkeypatch, server, tmp_path)
    monkeypatch.setenv("GRADER_STORAGE", "s3://no-such-bucket/grader")
    (new := tmp_path / "new").write_bytes(b"x")
    for _ in range(2):
        with pytest.raises(PermanentFailure, match=r"s3://no-such-bucket/.* Make the bucket"):
            put(new, day_file("raw_attempts", DATE))


def test_a_store_that_fails_for_a_moment_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (new := tmp_path / "new").write_bytes(b"x")
    with answering(500, 500, 200) as address:
        s3_server.use(monkeypatch, address, tmp_path)
        put(new, day_file("raw_attempts", DATE))


@pytest.mark.parametrize(("status", "retried"), [(403, False), (500, True)])
def test_a_run_is_retried_if_the_store_is_down_and_not_if_it_refuses(
    run_day: Run, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    status: int, retried: bool,
) -> None:  # fmt: skip
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with answering(status) as address:
        s3_server.use(monkeypatch, address, tmp_path)
        result = run_day(f"{DATE}", selection=["raw_attempts"])
    text = failure_of(result)
    assert "The store of GRADER_STORAGE" in text
    assert SECRET not in text
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert (run.tags.get(RETRY_RUN_TAG) != "false") == retried

"""The files that a process imports or reads as reports: whether they change, and a hash of them."""

import hashlib
from functools import cache, lru_cache
from pathlib import Path

from grader_pipeline.settings import Settings
from grader_pipeline.statements import SQL

CODE_TAG = ".dagster/grader_code"
"""Tag of a run: :func:`code_hash` of the daemon that launched it."""


def code_files() -> dict[Path, int]:
    """The files of the code and of the reports, with the time of their last change."""
    found = {}
    for folder, pattern in _folders():
        for path in folder.glob(pattern):
            try:
                found[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # removed meanwhile
                continue
    return found


def code_hash() -> str:
    """A hash of the code, the SQL and the reports. Hosts with the same files have the same hash."""
    return _hash(frozenset(code_files().items()))


@lru_cache(maxsize=1)
def _hash(files: frozenset[tuple[Path, int]]) -> str:
    """The hash of the files with these times: it is read again when a time has changed."""
    known = {path for path, _ in files}
    contents = [
        f"{number}/{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for number, (folder, pattern) in enumerate(_folders())
        for path in folder.glob(pattern)
        if path in known
    ]
    return hashlib.sha256("".join(sorted(contents)).encode()).hexdigest()


@cache
def _folders() -> list[tuple[Path, str]]:
    """The folders of the code, each with the pattern of its files."""
    own = [(SQL.parent, "**/*.py"), (SQL, "**/*.sql")]
    further = Settings().grader_reports
    return [*own, (further, "*.sql")] if further else own

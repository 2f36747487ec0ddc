"""The files that a process imports or reads as reports, to notice when they change."""

from functools import cache
from pathlib import Path

from grader_pipeline.settings import Settings
from grader_pipeline.statements import SQL


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


@cache
def _folders() -> list[tuple[Path, str]]:
    """The folders of the code, each with the pattern of its files."""
    own = [(SQL.parent, "**/*.py"), (SQL, "**/*.sql")]
    further = Settings().grader_reports
    return [*own, (further, "*.sql")] if further else own

"""A statement or a folder of them that is missing is an error that says what to do."""

from pathlib import Path

import pytest

from grader_pipeline import statements


@pytest.fixture
def sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation without any statement."""
    (folder := tmp_path / "sql").mkdir()
    monkeypatch.setattr(statements, "SQL", folder)
    return folder


@pytest.mark.usefixtures("sql")
def test_a_missing_statement_is_named_with_what_to_do() -> None:
    with pytest.raises(FileNotFoundError, match=r"^sql/load/no_such\.sql is missing\. Install "):
        statements.statement("load/no_such")


@pytest.mark.parametrize("has_folder", [False, True])
def test_a_missing_or_empty_folder_is_an_error_and_no_empty_list(
    sql: Path, has_folder: bool
) -> None:
    if has_folder:
        (sql / "reports").mkdir()
    with pytest.raises(FileNotFoundError, match=r"^sql/reports has no \.sql file\. Install "):
        statements.files("reports")

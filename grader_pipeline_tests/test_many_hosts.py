"""With a broker, what a machine has for itself is refused at once, or replaced."""

import pytest
from pydantic import ValidationError

from grader_pipeline.many_hosts import NEEDED
from grader_pipeline.settings import Settings
from grader_pipeline_tests.broker import BESIDE

BROKER = "redis://:password-of-the-broker@broker.school.example:6379/0"


@pytest.fixture(autouse=True)
def _broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_BROKER_URL", BROKER)


def refused() -> str:
    with pytest.raises(ValidationError) as found:
        Settings()
    assert "password-of-the-broker" not in str(found.value)
    return str(found.value)


def test_one_text_names_all_that_is_kept_on_one_machine_and_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADER_LOG", "file")
    said = refused()
    assert all(f"{name} ({why})" in said for name, why in NEEDED.items())
    assert "GRADER_LOG to json" in said


@pytest.mark.parametrize("name", NEEDED)
def test_each_of_them_is_refused_alone_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for other, value in BESIDE.items():
        monkeypatch.setenv(other, value)
    assert Settings().log_form == "json"
    monkeypatch.delenv(name)
    said = refused()
    assert [other for other in NEEDED if f"{other} (" in said] == [name]
    monkeypatch.delenv("GRADER_BROKER_URL")
    assert Settings().log_form == "file"


def test_a_folder_of_one_host_is_refused_and_a_shared_one_is_named_as_a_url(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in BESIDE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GRADER_STORAGE", "/var/lib/grader")
    assert "GRADER_STORAGE (" in refused()
    monkeypatch.setenv("GRADER_STORAGE", "file:///mnt/shared/grader")
    assert Settings().storage == "file:///mnt/shared/grader"


def test_lines_of_the_log_go_to_stdout_and_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in BESIDE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GRADER_LOG", "stdout")
    assert Settings().log_form == "stdout"
    monkeypatch.setenv("GRADER_LOG", "file")
    assert refused().count("GRADER_") == 3  # the broker twice, and the log

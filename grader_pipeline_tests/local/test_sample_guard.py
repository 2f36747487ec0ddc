"""The sample's data gets into no database whose state is unknown."""

import pytest

from grader_pipeline.local.errors import LauncherError
from grader_pipeline.local.sample_guard import refuse_real_attempts
from grader_pipeline.settings import Settings


def test_a_database_that_is_down_is_named_by_its_cause_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:s3cret-pass@127.0.0.1:1/grader")
    with pytest.raises(LauncherError) as refused:
        refuse_real_attempts(Settings())
    assert str(refused.value).endswith("Connection refused")
    assert "\n" not in str(refused.value)

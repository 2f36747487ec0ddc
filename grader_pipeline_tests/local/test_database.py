"""The launcher's connections say why they failed, and never the password."""

import pytest

from grader_pipeline.local.database import connected
from grader_pipeline.local.errors import LauncherError


def test_a_database_that_is_down_is_named_by_its_cause_in_one_line() -> None:
    with (
        pytest.raises(LauncherError) as refused,
        connected("postgresql://me:s3cret-pass@127.0.0.1:1/grader"),
    ):
        pass
    assert str(refused.value).endswith("Connection refused")
    assert "\n" not in str(refused.value)

"""Asking the grader as raw_attempts does, and looking at all that a failure carries."""

import traceback
from urllib.parse import quote_plus

import pytest

from grader_pipeline.attempts.response import unpacked
from grader_pipeline.resources.grader_api import GraderApi, Response
from grader_pipeline_tests.grader import attempt

KEY = 'sesame42&open "me"/%+'
"""A key that no two ways of writing down spell alike."""

WINDOW = {"start": "2023-05-30 21:00:00.000000", "end": "2023-05-31 20:59:59.999999"}

ELEMENTS = [attempt(), attempt(user="Ученик"), None]


def api(**options: float) -> GraderApi:
    return GraderApi(**{"attempts": 2, "pause_seconds": 0.01, **options})


def ask(url: str, **options: float) -> tuple[bytes, Response]:
    """The unpacked answer, and what is said of it."""
    with api(**options).get_api_data(url, WINDOW) as answer:
        assert answer.path.exists()
        with unpacked(answer.path.open("rb")) as content:
            return content.read(), answer


def refusal(kind: type[Exception], url: str, **options: float) -> str:
    """What the failure says, having looked for the key in all that it carries."""
    with pytest.raises(kind) as refused:
        ask(url, **options)
    error = refused.value
    assert (error.__cause__, error.__context__) == (None, None)
    told = [*traceback.format_exception(error), str(error), repr(error), repr(vars(error))]
    assert_without_key("".join(told))
    assert str(error) == error.description
    return str(error)


def assert_without_key(text: str) -> None:
    """No form of the key, and not its beginning either, is in ``text``."""
    assert "sesame" not in text
    assert quote_plus(KEY)[8:] not in text

"""Asks the grader as raw_attempts does, and looks for the key in all that a failure has."""

import traceback
from urllib.parse import quote_plus

import pytest

from grader_pipeline.attempts.response import unpacked
from grader_pipeline.resources.grader_api import GraderApi, Response
from grader_pipeline_tests.grader import attempt

KEY = 'sesame42&open "me"/%+'
"""A key that looks different in each encoding."""

WINDOW = {"start": "2023-05-30 21:00:00.000000", "end": "2023-05-31 20:59:59.999999"}

ELEMENTS = [attempt(), attempt(course="course-v1:Школа+Обучение+2021"), None]


def api(**options: float) -> GraderApi:
    return GraderApi(**{"attempts": 2, "pause_seconds": 0.01, **options})


def ask(url: str, **options: float) -> tuple[bytes, Response]:
    """The unpacked answer, and its description."""
    with api(**options).get_api_data(url, WINDOW) as answer:
        assert answer.path.exists()
        with unpacked(answer.path.open("rb")) as content:
            return content.read(), answer


def refusal(kind: type[Exception], url: str, **options: float) -> str:
    """The failure's text. All that the failure has is searched for the key."""
    with pytest.raises(kind) as refused:
        ask(url, **options)
    error = refused.value
    assert (error.__cause__, error.__context__) == (None, None)
    texts = [*traceback.format_exception(error), str(error), repr(error), repr(vars(error))]
    assert_without_key("".join(texts))
    assert str(error) == error.description
    return str(error)


def assert_without_key(text: str) -> None:
    """Neither a form of the key nor its beginning is in ``text``."""
    assert "sesame" not in text
    assert quote_plus(KEY)[8:] not in text

"""A picture shows all that is written in it."""

import datetime as dt
import io

import pytest
from PIL import Image

from grader_pipeline.reports import pictures
from grader_pipeline_tests.reports.conftest import REPORTS

STATES = REPORTS["attention"]
NAMES = [
    "испытывают трудности (за 7 дней не меньше 5 submit и больше всех submit на решённое задание)",
    "Щ" * 200,
    "Щука " * 40,
    r"$\frac{x$ " * 20,
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_picture_shows_long_names_of_series_within_its_edges(name: str) -> None:
    rows = [
        {"report_date": dt.date(2023, 5, 31), "course": "A", "state": state, "learners": 9}
        for state in (name, "коротко")
    ]
    png = pictures.draw(STATES, rows)
    assert png
    ink = Image.open(io.BytesIO(png)).getchannel("A")
    width, height = ink.size
    left, top, right, bottom = ink.getbbox()
    assert 0 < left < right < width
    assert 0 < top < bottom < height

"""Fills in the templates of a room. HTML is escaped. A missing value is an error."""

from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from grader_pipeline.reports import russian

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def templates_of(room: str, **words: ModuleType) -> "Environment":
    """The templates of a room, such as ``mail``. In them, ``r`` is :mod:`russian`."""
    # Imported with the first letter or page: the run of a day has neither.
    from jinja2 import (  # noqa: PLC0415
        Environment,
        PackageLoader,
        StrictUndefined,
        select_autoescape,
    )

    environment = Environment(
        loader=PackageLoader(f"grader_pipeline.{room}"),
        autoescape=select_autoescape(["html.jinja"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(words, r=russian)
    return environment

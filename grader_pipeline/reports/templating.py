"""Fills in the templates of a room. HTML is escaped. A missing value is an error."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from grader_pipeline.reports import russian


def templates_of(room: str) -> Environment:
    """The templates of a room, such as ``mail``. In them, ``r`` is :mod:`russian`."""
    environment = Environment(
        loader=PackageLoader(f"grader_pipeline.{room}"),
        autoescape=select_autoescape(["html.jinja"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals["r"] = russian
    return environment

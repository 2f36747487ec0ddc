"""How the texts in a room's ``templates/`` are filled in: escaped, nothing missing."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from grader_pipeline.reports import russian


def templates_of(room: str) -> Environment:
    """The templates of a room, such as ``mail``; they know :mod:`russian` as ``r``."""
    environment = Environment(
        loader=PackageLoader(f"grader_pipeline.{room}"),
        autoescape=select_autoescape(["html.jinja"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals["r"] = russian
    return environment

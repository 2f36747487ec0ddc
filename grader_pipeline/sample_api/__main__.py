"""The command ``python -m grader_pipeline.sample_api``: serves the sample grader."""

import argparse
import sys
from collections.abc import Callable

from grader_pipeline.sample_api.server import sample_api, serve

_OPTIONS = sample_api.__kwdefaults__ or {}
"""The options that the application has, with their defaults."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the server listens, what its days are like, and who may ask."""
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=_between(int, 0, 65_535), default=0, help="0: a free one")
    add("--rows", type=_between(int, 0, 10_000_000), help="clean attempts on a usual weekday")
    add("--latency", type=_between(float, 0, 3_600), help="seconds before an answer")
    add("--dirty", type=_between(float, 0, 1), help="dirty rows for each clean one")
    add("--client", help="who may ask")
    add("--client-key", help="with which key; empty lets everybody in")
    parser.set_defaults(**_OPTIONS)


def serve_chosen(chosen: argparse.Namespace) -> None:
    """Serve the sample grader until a signal ends it. Exits with 1 when it cannot listen."""
    app = sample_api(**{name: getattr(chosen, name) for name in _OPTIONS})
    try:
        serve(app, chosen.host, chosen.port)
    except OSError as error:
        sys.exit(f"Cannot listen on {chosen.host}:{chosen.port} ({error.strerror}); try --port 0.")


def _between(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least:,} and {most:,}")
        return value

    return number


if __name__ == "__main__":
    command = argparse.ArgumentParser(
        "grader-pipeline sample-api",
        description="A grader API with a made-up school behind it, dirty rows included.",
    )
    add_arguments(command)
    serve_chosen(command.parse_args())

"""The command ``python -m grader_pipeline.sample_api``: serves the sample grader."""

import argparse
import sys
from collections.abc import Callable

from grader_pipeline.sample_api.server import DEFAULT_CLIENT, DEFAULT_DIRTY, DEFAULT_KEY, serve
from grader_pipeline.sample_api.totals import DEFAULT_ROWS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the server listens, what its days are like, and who may ask."""
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_between(int, 0, 65_535), default=0, help="0: a free one")
    parser.add_argument(
        "--rows",
        type=_between(int, 0, 10_000_000),
        default=DEFAULT_ROWS,
        help="clean attempts on a usual weekday",
    )
    parser.add_argument(
        "--latency", type=_between(float, 0, 3_600), default=0, help="seconds before an answer"
    )
    parser.add_argument(
        "--dirty",
        type=_between(float, 0, 1),
        default=DEFAULT_DIRTY,
        help="dirty rows for each clean one",
    )
    parser.add_argument("--client", default=DEFAULT_CLIENT, help="who may ask")
    parser.add_argument(
        "--client-key", default=DEFAULT_KEY, help="with which key; empty lets everybody in"
    )


def serve_chosen(chosen: argparse.Namespace) -> None:
    """Serve the sample grader until a signal ends it. Exits with 1 when it cannot listen."""
    names = ("host", "port", "rows", "latency", "dirty", "client", "client_key")
    try:
        serve(**{name: getattr(chosen, name) for name in names})
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

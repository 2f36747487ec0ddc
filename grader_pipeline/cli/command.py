"""The command line of ``grader-pipeline``."""

import argparse
import datetime as dt
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from grader_pipeline import logs
from grader_pipeline.local.errors import LauncherError, Stopped, explain, stop_on_signals
from grader_pipeline.settings import ENV_FILE, Settings

_COMMANDS = {
    "dev": "serve the Dagster UI, with a database and a sample API if none are set",
    "demo": "load a week of sample days end to end, and show what came of it",
    "sample-api": "serve a grader's API with a made-up school behind it (see its own --help)",
    "report": "write the reports of some days as one HTML page that needs nothing else",
    "exec": "run a command of Dagster's on the instance, and with the daemon, of `dev`",
    "doctor": "check every setting and connection, and say what to do about what fails",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; give the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["sample-api"]:
        from grader_pipeline.sample_api.__main__ import main as sample_api  # noqa: PLC0415

        sample_api(given[1:])
        return 0
    chosen = _parser().parse_args(given)
    stop_on_signals()
    try:
        _say_where()
        if chosen.command == "doctor":
            from grader_pipeline.cli.doctor import doctor  # noqa: PLC0415 - imports Dagster

            return doctor()
        settings = Settings()
        _log_to_the_terminal()
        if chosen.command == "dev":
            from grader_pipeline.cli.dev import dev  # noqa: PLC0415

            dev(settings, chosen.host, chosen.port)
        elif chosen.command == "exec":
            from grader_pipeline.cli.exec import execute  # noqa: PLC0415

            execute(settings, chosen.program, chosen.arguments)
        elif chosen.command == "report":
            from grader_pipeline.cli.report import report  # noqa: PLC0415

            report(settings, chosen.start, chosen.end, chosen.out)
        else:
            from grader_pipeline.cli.demo import demo  # noqa: PLC0415

            demo(settings)
    except ValidationError as error:
        return _fail("; ".join(explain(error)))
    except (LauncherError, OSError) as error:
        return _fail(str(error))
    except Stopped:
        print("Stopped.")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="grader-pipeline", description="From the grader's API to the report of the day."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, explanation in _COMMANDS.items():
        command = commands.add_parser(name, help=explanation, description=explanation)
        if name == "dev":
            command.add_argument("--host", default="127.0.0.1", help="address of the UI")
            command.add_argument("--port", type=int, default=3000, help="port of the UI")
        if name == "exec":
            command.add_argument("program", metavar="COMMAND")
            command.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG")
        if name == "report":
            day = dt.date.fromisoformat
            command.add_argument("--from", dest="start", type=day, required=True, metavar="DAY")
            command.add_argument("--to", dest="end", type=day, required=True, metavar="DAY")
            command.add_argument("--out", type=Path, required=True, metavar="FILE")
    return parser


def _say_where() -> None:
    """Say on stderr which .env and which GRADER_HOME are used. Wrong settings are shown later."""
    file = ENV_FILE.absolute()
    used = f"Settings: {file}" if file.is_file() else f"Settings: no .env in {file.parent}"
    with suppress(ValidationError):
        used += f"; GRADER_HOME: {Settings().grader_home}"
    print(used, file=sys.stderr, flush=True)


def _log_to_the_terminal() -> None:
    """Show the log of the services' supervision in the terminal too."""
    logs.configure()
    terminal = logging.StreamHandler(sys.stdout)
    logging.getLogger("grader_pipeline.local").addHandler(terminal)


def _fail(message: str) -> int:
    print(f"grader-pipeline: {message}", file=sys.stderr)
    return 1

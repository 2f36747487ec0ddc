"""The command line of ``grader-pipeline``: finds the subcommand's file and runs it."""

import argparse
import logging
import os
import select
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from grader_pipeline.local import demo_world
from grader_pipeline.logs import TO_STDERR
from grader_pipeline.read_once import ENV_FILE
from grader_pipeline.roles.errors import LauncherError, Stopped, explain, stop_on_signals
from grader_pipeline.settings import Settings
from grader_pipeline.startup import prepare_process

_COMMANDS = {
    "dev": "serve the Dagster UI, with a database and a sample API if none are set",
    "demo": "load a week of sample days end to end, and show what came of it",
    "sample-api": "serve a grader's API with a made-up school behind it, dirty rows included",
    "trace": "print where a figure of a day comes from, attempt by attempt, as the API sent it",
    "report": "write the reports of some days as one HTML page that needs nothing else",
    "status": "show yesterday's report and what needs somebody; exit 1 if the report is late",
    "recompute": "compute stored days again out of the table grader, reports and sheet included",
    "learner": "leave a learner out of the reports, or forget one",
    "mail": "list the mails of the outbox, or send those again that somebody did not get",
    "psql": "open the database that is in use in psql",
    "pg_dump": "dump the database that is in use",
    "prune": "remove stored answers and Dagster's runs that are older than the settings keep",
    "exec": "run a command of Dagster's on the instance, and with the daemon, of `dev`",
    "migrate": "bring the database up to date: tables, pools, the role that only reads",
    "code-server": "serve the code to the UI and the daemon",
    "ui": "serve the UI",
    "daemon": "run schedules, sensors, mails and the queue of runs",
    "worker": "execute runs",
    "health": "exit with 0 if what a role of a deployment serves is served, else with 1",
    "doctor": "check every setting and connection, and say what to do about what fails",
}
"""The subcommands, each with its line in ``--help``. ``sample-api`` is ``sample_api.py`` here."""

_ROLES = {"code-server", "ui", "daemon", "worker"}
"""The commands that serve until a signal ends them. That is no error, also while they start."""

_OF_THE_USERS_HOME = {"doctor", "sample-api"}
"""Commands that never use the demo's GRADER_HOME. The others do while no real API is set."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; give the exit code."""
    prepare_process()
    # The terminal shows what the supervision of the services logs, too.
    for room in ("local", "roles") if _log_is_a_file() else ():
        logger = logging.getLogger(f"grader_pipeline.{room}")
        logger.addHandler(logging.StreamHandler(sys.stdout))
    stop_on_signals()
    words = sys.argv[1:] if arguments is None else arguments
    if _wanted(words) not in _ROLES | {"dev"}:
        # What these print is an answer.
        os.environ[TO_STDERR] = "yes"
    try:
        chosen = _parsed(words)
        file = ENV_FILE.absolute()
        if is_demo := getattr(chosen, "demo", False):
            demo_world.enter()
        is_sample = not is_demo and chosen.command not in _OF_THE_USERS_HOME and _uses_sample()
        _say_where(file, is_demo=is_demo, is_sample=is_sample)
        code = int(chosen.run(chosen) or 0)
        sys.stdout.flush()
    except ValidationError as error:
        message = "; ".join(explain(error))
    except (LauncherError, OSError) as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return 128 + signal.SIGPIPE
        message = str(error)
    except Stopped:
        print("Stopped.")
        return 0 if _wanted(words) in _ROLES else 130
    else:
        return code
    print(f"grader-pipeline: {message}", file=sys.stderr)
    return 1


def _nobody_reads() -> bool:
    """Whether the reader of stdout has ended, such as ``head``. What is left is for nobody then."""
    stdout = select.poll()
    stdout.register(sys.stdout, 0)
    has_ended = bool(stdout.poll(0))
    if has_ended:
        # Python flushes it once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return has_ended


def _wanted(arguments: Sequence[str]) -> str | None:
    return next((word for word in arguments if not word.startswith("-")), None)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="grader-pipeline", description="From the grader's API to the report of the day."
    )
    parser.add_argument("--version", action="version", version=version("grader-pipeline"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = _wanted(arguments)
    for name, explanation in _COMMANDS.items():
        command = commands.add_parser(name, help=explanation, description=explanation)
        if name == wanted:
            # Only this one is imported, because some import Dagster.
            file = import_module(f"grader_pipeline.cli.{name.replace('-', '_')}")
            getattr(file, "add_arguments", lambda _: None)(command)
            command.set_defaults(run=file.run)
    return parser.parse_args(_with_end_of_options(arguments, wanted))


def _with_end_of_options(arguments: Sequence[str], wanted: str | None) -> list[str]:
    """Let what follows ``psql`` be its own: argparse would take options among it as ours."""
    words = list(arguments)
    if wanted in {"psql", "pg_dump"} and not {"-h", "--help"} & {*words[-1:]}:
        words.insert(words.index(wanted) + 1, "--")
    return words


def _log_is_a_file() -> bool:
    with suppress(ValidationError):  # shown later
        return Settings().log_form == "file"
    return True


def _uses_sample() -> bool:
    with suppress(ValidationError):  # shown later, below the file that may have it
        return demo_world.use_home(Settings())
    return False


def _say_where(file: Path, *, is_demo: bool, is_sample: bool) -> None:
    """Say on stderr which .env and which GRADER_HOME are used. Wrong settings are shown later."""
    part = "GRADER_HOME and GRADER_TIMEZONE of " if is_demo else ""
    used = [f"Settings: {part}{file}" if file.is_file() else f"Settings: no .env in {file.parent}"]
    with suppress(ValidationError):
        settings = Settings()
        if not file.is_file() and settings.has_real_api and settings.database_url:
            used = []  # the environment has what a role needs
        demos = ", the demo's, because no real GRADER_API_URL is set" if is_sample else ""
        used.append(f"GRADER_HOME: {settings.grader_home}{demos}")
    print("; ".join(used), file=sys.stderr, flush=True)

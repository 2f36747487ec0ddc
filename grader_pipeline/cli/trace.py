"""``grader-pipeline trace``: where a figure comes from, attempt by attempt."""

import argparse
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal

from grader_pipeline.cli.database import opened
from grader_pipeline.cli.days import day
from grader_pipeline.reports.figure import Figure, find_figure
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.trace import Traced, trace
from grader_pipeline.reports.units import Unit, cell, plain
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.settings import Settings

_FORM = "METRIC, or REPORT COLUMN key=value …"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The day and the figure."""
    parser.epilog = (
        "Prints the query of the attempts behind the figure, then each attempt with its element as "
        "the API sent it: its position from 0, and the SHA-256 of the answer. It names learners: "
        "keep it in the terminal. Examples: `trace 2023-05-31 successful_submits`, "
        "`trace 2023-05-31 courses learners course=course-v1:School+DST+2023`."
    )
    parser.add_argument("day", type=day, metavar="DAY", help="2026-11-26 or 26.11.2026")
    parser.add_argument("figure", nargs="+", metavar="FIGURE", help=_FORM)


def run(chosen: argparse.Namespace) -> None:
    """Print the figure, its query, and what is behind it.

    Raises LauncherError when there is no such figure or the database cannot be used.
    """
    words = [word for word in chosen.figure if "=" not in word]
    keys = dict(word.split("=", 1) for word in chosen.figure if "=" in word)
    if len(words) > 2 or (keys and len(words) == 1):  # noqa: PLR2004
        raise LauncherError(f"name one figure: {_FORM}")
    known = {report.name: report for report in reports()}
    with opened(Settings()) as postgres, postgres.transaction() as db:
        figure = find_figure(db, known, chosen.day, words, keys)
        print(_headline(figure))
        print(f"\n{figure.query.as_string(db)};\n")
        for line in _lines(trace(db, figure)):
            print(line)


def _headline(figure: Figure) -> str:
    label, unit = figure.line.get("label"), figure.line.get("unit")
    about = f" ({label})" if label else ""
    if unit == Unit.CLOCK and isinstance(figure.value, Decimal):
        about = f", shown as {plain(cell(figure.value, unit, None))}{about}"
    return f"{figure.report.name}, {figure.date}: {figure.name} = {figure.value}{about}"


def _lines(found: Iterator[Traced]) -> Iterator[str]:
    zone = Settings().grader_timezone
    attempts = elements = lost = 0
    for traced in found:
        if attempt := traced.attempt:
            attempts += 1
            verdict = {None: "no verdict", True: "correct", False: "wrong"}[attempt["is_correct"]]
            parts = (attempt["user_id"], attempt["attempt_type"], verdict, attempt["course"])
            moments = f"{_moment(attempt['created_at'])} UTC, {_moment(attempt['school_time'])}"
            yield f"{moments} {zone}, {', '.join(map(_plain, (*parts, attempt['task'])))}"
        if traced.position is None:
            lost += 1
            yield "  in no answer that is kept: another program wrote it, or its time is over"
            continue
        elements += 1
        of = f"answer {traced.sha256}" if traced.sha256 else "an answer that is not kept any more"
        why = f", refused: {', '.join(traced.reasons)}" if traced.reasons else ""
        yield f"  element {traced.position} of {of}{why}"
        yield f"  {_plain(traced.text or '')}"
    yield f"\n{attempts} attempts, {elements} elements; {lost} attempts in no answer that is kept."


def _moment(moment: dt.datetime) -> str:
    return moment.isoformat(" ", "microseconds")


def _plain(text: str | None) -> str:
    """The text, or as JSON if a terminal would act on some of its characters."""
    return text if text is not None and text.isprintable() else json.dumps(text)

"""The command ``python -m benchmarks``."""

import argparse
import sys
import time

from benchmarks.figures.alarms import broken_tasks
from benchmarks.figures.backfilling import backfill, usual_day
from benchmarks.figures.end_to_end import bare_load, end_to_end
from benchmarks.figures.loading import dirty_day, second_run
from benchmarks.figures.sheet import sheet_write
from benchmarks.figures.stages import stages
from benchmarks.figures.starting import served_ui
from benchmarks.figures.years import years
from benchmarks.lab import opened
from benchmarks.results import Outcome, keep
from grader_pipeline.settings import Settings

QUESTIONS = {
    question.__name__: question
    for question in (
        end_to_end, stages, years, backfill, usual_day, sheet_write, second_run, dirty_day,
        served_ui, bare_load, broken_tasks,
    )
}  # fmt: skip

ROWS, DAYS, TIMES = 1_000_000, 60, 5


def main() -> int:
    """Measure what is asked for; keep what was measured in full."""
    chosen = _parser().parse_args()
    settings = Settings()
    if settings.smtp_host or settings.google_sheets_credentials:
        print("The benchmarks' numbers are made up, and SMTP_HOST or GOOGLE_SHEETS_CREDENTIALS is "
              "set: colleagues would get them. Unset both.", file=sys.stderr)  # fmt: skip
        return 1
    in_full = (chosen.rows, chosen.days) == (ROWS, DAYS) and chosen.times >= TIMES
    home = settings.grader_home / "benchmarks"
    for name in chosen.names or QUESTIONS:
        print(name, flush=True)
        begun = time.monotonic()
        with opened(home, rows=chosen.rows, days=chosen.days, times=chosen.times) as lab:
            outcome = QUESTIONS[name](lab)
        _show(outcome)
        print(f"  took {time.monotonic() - begun:.0f} s", flush=True)
        if in_full:
            keep(name, outcome)
    if not in_full:
        print("A quick look, not kept in docs/.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure speed and memory, and keep the figures in docs/benchmarks.md.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("names", nargs="*", choices=[*QUESTIONS, []], help="some of the questions")
    parser.add_argument(
        "--rows", type=int, default=ROWS, help="rows of a large day; other sizes go with it"
    )
    parser.add_argument("--days", type=int, default=DAYS, help="days of a backfill")
    parser.add_argument("-n", dest="times", type=int, default=TIMES, help="runs of each")
    return parser


def _show(outcome: Outcome) -> None:
    for figure in outcome.figures:
        print(f"  {figure.what:60} {figure.value:10.3g}{figure.unit}  {figure.reach} {figure.met}")


if __name__ == "__main__":
    sys.exit(main())

"""``grader-pipeline demo``: loads a week of sample days end to end, and prints the report.

It uses the same processes as production, in the demo's own world (``local/demo_world.py``). Six
days are a backfill. When they are loaded, yesterday is a single run, as every morning.
"""

import argparse
import datetime as dt
import time
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
from psycopg.rows import dict_row

from grader_pipeline.asset_names import ASSET_NAMES
from grader_pipeline.cli import status
from grader_pipeline.local.services import free_port
from grader_pipeline.local.stack import Stack, running
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.russian import NO_VALUE, short_date, shown
from grader_pipeline.reports.units import cell
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.roles.errors import LauncherError
from grader_pipeline.roles.instance import LOCATION
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement

DAYS = 7
RUNS_SECONDS = 600
RETRY_SECONDS = 30
MAIL_SECONDS = 90

_BACKFILL = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(
    backfillParams: $params) { __typename ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message } } }"""
_RUN = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_PROGRESS = """query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs {
    results { runId status startTime endTime tags { key value } } } } }"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none: it is always the demo's world."""
    parser.set_defaults(demo=True)


def run(_: argparse.Namespace) -> None:
    """Load the week. Print a line for each day, the report, the status, and where files are.

    Raises LauncherError when a day failed.
    """
    settings = Settings()
    days = _last_days(settings)
    start = time.monotonic()
    with running(settings, "127.0.0.1", free_port()) as stack:
        mails = _mails(settings)
        if error := stack.code_error():
            raise LauncherError(f"The code cannot be loaded. {error}")
        print(f"Dagster is up ({time.monotonic() - start:.0f} s): {stack.url}")
        print(f"Loading {days[0]} to {days[-1]}, the first {len(days) - 1} days as a backfill.")
        tag = {"key": "grader/demo", "value": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%S}"}
        # What waits already when the daemon starts begins at once.
        candidates = _launch_backfill(stack, days[:-1], tag)
        stack.start_daemon()
        failed = _watch(stack, days[:-1], tag)
        candidates.append(_launch_run(stack, days[-1], tag))
        failed += _watch(stack, days[-1:], tag)
        if not failed:
            if not stack.services.wait_until(lambda: not _waiting(stack), RUNS_SECONDS):
                print("Some days still wait: `make dev ARGS=--demo` computes them again.")
            print("Waiting for the mails.", flush=True)
            are_mailed = partial(_are_mailed, stack, candidates)
            if not stack.services.wait_until(are_mailed, MAIL_SECONDS):
                print("Some are still to come: `make dev ARGS=--demo` sends them.")
        print(f"\n{_report(stack, days)}\n")
        status.show()
        new_mails = _mails(settings) - mails
    print(f"Report:  {settings.workbook}")
    print(f"Mails:   {settings.outbox_dir} ({new_mails} new)")
    print(f"Log:     {settings.logs_dir / 'app_log.txt'}")
    took = time.monotonic() - start
    print(f"Took {took:.0f} s. `make dev ARGS=--demo` shows all of this in the UI.")
    if failed:
        raise LauncherError(f"{failed} of {len(days)} days failed: the log says why.")


def _last_days(settings: Settings) -> list[dt.date]:
    today = dt.datetime.now(settings.timezone).date()
    return [today - dt.timedelta(days=back) for back in range(DAYS, 0, -1)]


def _launch_backfill(stack: Stack, days: list[dt.date], tag: Mapping[str, str]) -> list[str]:
    """Launch a backfill. Returns its id, if there are days."""
    names = [day.isoformat() for day in days]
    if not names:
        return []
    assets = [{"path": [name]} for name in (*ASSET_NAMES, *(r.name for r in reports()))]
    backfill = {"assetSelection": assets, "partitionNames": names, "tags": [tag]}
    return [_mutate(stack, _BACKFILL, backfill)["backfillId"]]


def _launch_run(stack: Stack, day: dt.date, tag: Mapping[str, str]) -> str:
    """Launch a run of a day. Returns its id."""
    job = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
    partition = {"key": "dagster/partition", "value": day.isoformat()}
    run = {
        "selector": {**job, "jobName": "grader_day"},
        "executionMetadata": {"tags": [tag, partition]},
    }
    return str(_mutate(stack, _RUN, run)["run"]["runId"])


def _mutate(stack: Stack, mutation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    (result,) = stack.ask(mutation, {"params": params}).values()
    if not result["__typename"].endswith("Success"):
        raise LauncherError(f"Dagster refused: {result.get('message', result['__typename'])}")
    return dict(result)


def _watch(stack: Stack, days: list[dt.date], tag: Mapping[str, str]) -> int:
    """Print how each of these days ended until all have ended. Gives how many failed."""
    wanted = {day.isoformat() for day in days}
    ended: dict[str, bool] = {}
    filters = {"filter": {"tags": [tag]}}

    def all_ended() -> bool:
        for run in stack.ask(_PROGRESS, filters)["runsOrError"]["results"]:
            tags = {each["key"]: each["value"] for each in run["tags"]}
            day = tags["dagster/partition"]
            if day in ended or day not in wanted or not _has_ended(run, tags):
                continue
            ended[day] = run["status"] == "SUCCESS"
            seconds = run["endTime"] - (run["startTime"] or run["endTime"])
            print(f"  {day}  {run['status'].lower():8} {seconds:5.1f} s", flush=True)
        return len(ended) == len(wanted)

    if not stack.services.wait_until(all_ended, RUNS_SECONDS):
        raise LauncherError(
            f"{len(wanted) - len(ended)} days are not done after {RUNS_SECONDS} s. What Dagster "
            f"says is in {stack.services.outputs}."
        )
    return sum(not success for success in ended.values())


def _has_ended(run: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
    """Whether a run has ended and will not be retried."""
    if run["status"] != "FAILURE":
        return run["status"] in {"SUCCESS", "CANCELED"}
    # Dagster sets the tag shortly after the failure.
    overdue = time.time() - run["endTime"] > RETRY_SECONDS
    return tags.get("dagster/will_retry", "false" if overdue else "true") != "true"


def _waiting(stack: Stack) -> list[dt.date]:
    with closing(Postgres.at(stack.database_url)) as postgres, postgres.transaction() as db:
        return waiting_days(db)


def _are_mailed(stack: Stack, candidates: list[str]) -> bool:
    """Whether the mails of the runs are decided and sent. A second demo of a day may need none."""
    with closing(Postgres.at(stack.database_url)) as postgres, postgres.transaction() as db:
        settled = [
            row["value"]
            for candidate in candidates
            for row in db.execute(statement("mail/is_settled"), {"id": candidate})
        ]
        given = {"timezone": Settings().grader_timezone}
        states = {row["state"] for row in db.execute(statement("mail/list"), given)}
    return all(settled) and not states & {"queued", "sending"}


def _mails(settings: Settings) -> int:
    return len(list(settings.outbox_dir.glob("*.eml")))


def _report(stack: Stack, days: list[dt.date]) -> str:
    """The metrics of the week: a line for each metric, a column for each day."""
    with psycopg.connect(stack.database_url, row_factory=dict_row) as db:
        rows = db.execute(statement("reading/all_metrics")).fetchall()
    values: dict[str, dict[dt.date, str]] = {}
    for row in rows:
        # The reason why there is no value is too long for a column of the terminal.
        seen = None if row["value"] is None else cell(row["value"], row["unit"], row["text"])
        values.setdefault(row["label"], {})[row["report_date"]] = shown(seen)
    lines = [["Показатель", *map(short_date, days)]]
    lines += [[label, *(of.get(day, NO_VALUE) for day in days)] for label, of in values.items()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    )

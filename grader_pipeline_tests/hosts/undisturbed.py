"""The same days in another database, one after the other: what several hosts are to make of them.

``python -m grader_pipeline_tests.hosts.undisturbed FIRST COUNT`` loads them in one process.
"""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from psycopg.rows import dict_row

from grader_pipeline.definitions import build_defs
from grader_pipeline.settings import variables
from grader_pipeline_tests.hosts.world import School, api

Ask = Callable[[str], list[dict[str, Any]]]


@contextmanager
def undisturbed(up: School, first: str, count: int) -> Iterator[Callable[[], Ask]]:
    """Load the same days into another database, in one process beside the test.

    Gives what waits for the end of that, and then gives how to ask that database.
    """
    url = up.database_url.replace("/school", "/undisturbed")
    with psycopg.connect(up.database_url, autocommit=True) as db:
        db.execute("CREATE DATABASE undisturbed")
    home = up.homes / "undisturbed"
    home.mkdir()
    output = home / "output.txt"
    with api(0, up.attempts, home) as asked, output.open("wb") as file:
        own = {**dict.fromkeys(variables(), ""), "DATABASE_URL": url, "GRADER_HOME": str(home)}
        # Where this package is. Beside it is no product if that is installed.
        own["PYTHONPATH"] = str(Path(__file__).parents[2])
        command = [sys.executable, "-m", "grader_pipeline_tests.hosts.undisturbed"]
        environment = {**os.environ, **own, **asked}
        # The hosts come first.
        nice = ["nice", "-n", "19"]
        load = subprocess.Popen(
            [*nice, *command, first, str(count)], env=environment, stdout=file, stderr=file
        )

        def ask(query: str) -> list[dict[str, Any]]:
            with psycopg.connect(url, row_factory=dict_row) as db:
                return db.execute(query).fetchall()  # type: ignore[arg-type]

        def loaded() -> Ask:
            assert load.wait(240) == 0, output.read_text(errors="replace")[-4000:]
            return ask

        try:
            yield loaded
        finally:
            load.kill()
            load.wait()


def main() -> None:
    """Run the days, and then the job that computes the days that wait again."""
    first, count = dt.date.fromisoformat(sys.argv[1]), int(sys.argv[2])
    defs = build_defs()
    with dg.DagsterInstance.ephemeral() as instance:
        for number in range(count):
            day = str(first + dt.timedelta(days=number))
            job = defs.resolve_job_def("grader_day")
            assert job.execute_in_process(partition_key=day, instance=instance).success
        assert defs.resolve_job_def("refresh").execute_in_process(instance=instance).success


if __name__ == "__main__":
    main()

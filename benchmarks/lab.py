"""Runs programs one at a time and meters them: the bench on which everything is measured."""

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.servers import CLIENT, Api, Postgres, durable_postgres
from grader_pipeline.asset_names import GRADER_TABLE, RAW_ATTEMPTS, VALIDATED_ATTEMPTS
from grader_pipeline.attempts.columns import COLUMNS
from grader_pipeline.partitions import SchoolDay, school_day
from grader_pipeline.roles import instance
from grader_pipeline.roles.migrate import require_schema
from grader_pipeline.settings import Settings

DAY = school_day("2024-05-15")
"""The day that is measured, a Wednesday."""

_TO_THE_TABLES = (RAW_ATTEMPTS, VALIDATED_ATTEMPTS, GRADER_TABLE)
_DAGSTER = "dagster"


@dataclass(frozen=True)
class Run:
    """What one run of a program took, from its start to its end.

    Seconds; ``wal`` and ``rss`` in bytes. ``said`` is the program's own last line. Its ``work`` and
    ``cpu`` are without Python's imports.
    """

    wall: float
    client_cpu: float
    postgres_cpu: float
    wal: int
    rss: int
    said: dict[str, Any]

    @property
    def work(self) -> float:
        """Seconds without starting Python and importing."""
        return float(self.said["work"])

    @property
    def cpu(self) -> float:
        """CPU seconds of the program and of PostgreSQL."""
        return self.client_cpu + self.postgres_cpu

    @property
    def work_cpu(self) -> float:
        """The same without starting Python and importing."""
        return float(self.said["cpu"]) + self.postgres_cpu


class Lab:
    """The servers, and the programs that are run against them."""

    def __init__(self, postgres: Postgres, home: Path, *, rows: int, days: int, times: int) -> None:
        self.postgres = postgres
        self.rows = rows
        self.days = days
        self.times = times
        self._home = home
        with postgres.connected() as admin:
            admin.execute(f"CREATE DATABASE {_DAGSTER}")
        self._settings = Settings(grader_home=home / "home")
        self._instance = postgres.url.replace("/grader?", f"/{_DAGSTER}?")
        require_schema(self._settings, self._instance)

    def run(
        self, module: str, database_url: str, environment: Mapping[str, str], *arguments: str
    ) -> Run:
        """Run ``python -m module``. Raises RuntimeError with its words when it fails."""
        known = {name.upper() for name in Settings.model_fields}
        inherited = {name: text for name, text in os.environ.items() if name.upper() not in known}
        with tempfile.TemporaryDirectory(dir=self._home) as folder:
            given = {
                **inherited,
                **instance.environment(self._settings, self._instance),
                "DATABASE_URL": database_url,
                "GRADER_HOME": folder,
                "BENCH_FOLDER": folder,
                "RUNTIME__DLTHUB_TELEMETRY": "false",
                **environment,
            }
            self.postgres.settle()
            cpu, wal = self.postgres.cpu(), self.postgres.wal()
            with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
                begun = time.perf_counter()
                process = subprocess.Popen(
                    [sys.executable, "-m", module, *arguments],
                    env=given, stdout=out, stderr=errors,
                )  # fmt: skip
                _, status, usage = os.wait4(process.pid, 0)
                wall = time.perf_counter() - begun
                process.returncode = os.waitstatus_to_exitcode(status)
                out.seek(0)
                errors.seek(0)
                if process.returncode != 0:
                    raise RuntimeError(f"{module} failed:\n{errors.read()[-4000:]}")
                said = out.read().splitlines()
        return Run(
            wall=wall,
            client_cpu=usage.ru_utime + usage.ru_stime,
            postgres_cpu=self.postgres.cpu() - cpu,
            wal=self.postgres.wal() - wal,
            rss=usage.ru_maxrss * 1024,
            said=json.loads(said[-1]) if said and said[-1].startswith("{") else {},
        )

    def load(self, program: str, api: Api, day: SchoolDay, database_url: str, *more: str) -> Run:
        """Have a program load a day from ``api`` into a database."""
        arguments = (day.key, *more) if program == "pipeline" else ()
        return self.run(
            f"benchmarks.programs.{program}", database_url, asking(api, day), *arguments
        )

    def load_afresh(self, program: str, api: Api, day: SchoolDay, *more: str) -> Run:
        """The same, into a fresh database."""
        with self.postgres.database() as url:
            if program != "pipeline":
                leave_no_marks(url)
            run = self.load(program, api, day, url, *more)
            table = "dlt.grader" if program == "dlt_merge" else "grader"
            with psycopg.connect(url) as db:
                run.said.update(contents(db, table))
            return run


def asking(api: Api, day: SchoolDay) -> dict[str, str]:
    """The API and the day, as a program gets them by its environment."""
    first, last = day.start, day.end - dt.timedelta(microseconds=1)
    return {
        "GRADER_API_URL": api.url,
        "GRADER_API_CLIENT": CLIENT,
        "GRADER_API_CLIENT_KEY": CLIENT,
        "GRADER_MAX_REJECTED_SHARE": "1",
        "BENCH_REQUEST": api.request(day.api_window()),
        "BENCH_WINDOW": f"{first:%Y-%m-%d %H:%M:%S.%f}/{last:%Y-%m-%d %H:%M:%S.%f}",
    }


def leave_no_marks(url: str) -> None:
    """Make the table of a database bare for other programs, as it is for a load of the pipeline.

    Otherwise a trigger notes each row that others insert.
    """
    with psycopg.connect(url) as db:
        name = sql.Identifier(db.info.dbname)
        db.execute(sql.SQL("ALTER DATABASE {} SET grader_pipeline.loading = 'yes'").format(name))


def contents(db: psycopg.Connection, table: str) -> dict[str, int]:
    """How many attempts a table holds, and a number that two equal tables share."""
    columns = ", ".join(column.name for column in COLUMNS)
    query = f"SELECT count(*), sum(hashtextextended(ROW({columns})::text, 0)) FROM {table}"  # noqa: S608
    rows, fingerprint = db.execute(query).fetchone() or (0, 0)
    return {"rows": int(rows), "fingerprint": int(fingerprint or 0)}


def interleaved(times: int, measured: Mapping[str, Callable[[], Run]]) -> dict[str, list[Run]]:
    """Each of them in turn, A B A B …, ``times`` times."""
    runs: dict[str, list[Run]] = {name: [] for name in measured}
    for _ in range(times):
        for name, measure in measured.items():
            run = measure()
            runs[name].append(run)
            print(f"  {name:34} {run.wall:8.2f} s, work {run.work:8.2f} s", flush=True)
    return runs


def load_to_tables(lab: Lab, api: Api, day: SchoolDay, database_url: str | None = None) -> Run:
    """Have the pipeline bring a day into the tables, without its reports and the sheet.

    Without ``database_url`` the database is a fresh one.
    """
    given = ("pipeline", api, day)
    assets = ("--assets", *_TO_THE_TABLES)
    if database_url is None:
        return lab.load_afresh(*given, *assets)
    return lab.load(*given, database_url, *assets)


def ratio(
    runs: Mapping[str, list[Run]], above: str, below: str, cost: Callable[[Run], float]
) -> float:
    """The median of the ratios of two programs' costs, pair by pair."""
    pairs = zip(runs[above], runs[below], strict=True)
    return median(cost(one) / cost(other) for one, other in pairs)


@contextmanager
def opened(home: Path, *, rows: int, days: int, times: int) -> Iterator[Lab]:
    """A lab in ``home``."""
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        # PostgreSQL may run as another user than we do.
        Path(folder).chmod(0o711)
        with durable_postgres(Path(folder) / "server") as postgres:
            yield Lab(postgres, Path(folder), rows=rows, days=days, times=times)

"""A month of a school with one learner more than it should have, in two databases if wanted."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import dagster as dg
import psycopg
from upath import UPath

from grader_pipeline import storage
from grader_pipeline.attempts.response import batches, unpacked
from grader_pipeline.definitions import build_defs
from grader_pipeline.refresh import refresh_waiting
from grader_pipeline.reports.report_files import reports
from grader_pipeline.resources.grader_api import GraderApi
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline_tests.grader import Grader, attempt, learner, rows

FIRST = dt.date(2023, 5, 1)
GONE = learner("gone")
TO_THE_TABLE = ["raw_attempts", "validated_attempts", "grader_table"]
OF_ELEMENTS = {"received", "rejected", "rejected_share", "duplicates"}
"""Lines of data_health that count elements. Those of a forgotten learner are still received."""

Elements = dict[dt.date, list[Any]]


def days(number: int) -> list[dt.date]:
    return [FIRST + dt.timedelta(days=n) for n in range(number)]


def school(number: int, who: str = GONE) -> Elements:
    """Attempts of nine learners, and of ``who``.

    Theirs are valid, duplicates, refused, and under the id of nobody or somebody else.
    """
    draw = random.Random(7)
    found: Elements = {}
    for date in days(number):
        elements = []
        for user in [*(learner(n) for n in range(9)), who, who]:
            moment = dt.datetime.combine(date, dt.time(draw.randrange(3, 18), draw.randrange(60)))
            for _ in range(draw.randrange(1, 5)):
                moment += dt.timedelta(seconds=draw.randrange(1, 900))
                elements.append(
                    attempt(
                        f"{moment}", user, draw.choice((None, 0, 1)),
                        task=draw.choice(("a" * 32, "b" * 32)),
                        course=draw.choice(("course-v1:S+A+1", "course-v1:S+B+1")),
                    )
                )  # fmt: skip
        theirs = [element for element in elements if element["lti_user_id"] == who]
        elements += [theirs[0], {**theirs[0], "attempt_type": "test"}]
        elements += [{**theirs[-1], "lti_user_id": None}, {**theirs[-1], "lti_user_id": learner(3)}]
        elements += [None, {**elements[0], "attempt_type": "test"}]
        draw.shuffle(elements)
        found[date] = elements
    return found


def is_of(element: Any, who: str) -> bool:
    if element is None:
        return False
    return element["lti_user_id"] == who or quote(who) in quote(eval_texts(element))


def eval_texts(element: dict[str, Any]) -> str:
    return " ".join(eval(element["passback_params"]).values())


def without(elements: Elements, who: str = GONE) -> Elements:
    return {date: [e for e in found if not is_of(e, who)] for date, found in elements.items()}


def answering(elements: Elements) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with the elements of the day that is asked for."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked = dict(parse_qsl(urlsplit(request.path).query))
        end = dt.datetime.fromisoformat(asked["end"])
        rows(elements.get(end.date(), []))(request)

    return answer


class World:
    """Database, storage and Dagster's instance of a school."""

    def __init__(self, grader: Grader, instance: dg.DagsterInstance, url: str) -> None:
        self.grader, self.instance, self.url = grader, instance, url
        self._job = build_defs(
            {"grader_api": GraderApi(attempts=2, pause_seconds=0.01)}
        ).resolve_job_def("grader_day")

    def load(self, elements: Elements, **config: Any) -> None:
        """Load all days, from the API to the table."""
        self.grader.answer = answering(elements)
        for date in elements:
            result = self.run(date, TO_THE_TABLE, **config)
            assert result.success
            wrong = [
                check.check_name
                for check in result.get_asset_check_evaluations()
                if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR
            ]
            assert not wrong

    def run(
        self, date: dt.date, selection: list[str] | None, **config: Any
    ) -> dg.ExecuteInProcessResult:
        return self._job.execute_in_process(
            partition_key=date.isoformat(),
            instance=self.instance,
            asset_selection=selection and [dg.AssetKey(name) for name in selection],
            run_config=config or None,
            raise_on_error=False,
        )

    def refresh(self) -> int:
        with opened() as postgres:
            return refresh_waiting(postgres, Sheets(), None, lambda *_: None)

    def ask(self, text: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as db:
            return db.execute(text.encode(), parameters or None).fetchall()

    def reports(self) -> dict[str, list[str]]:
        """All report tables, without lines that count elements, and without learners' numbers."""
        found = {}
        for report in reports():
            with psycopg.connect(self.url, row_factory=psycopg.rows.dict_row) as db:
                lines = db.execute(f'SELECT * FROM "{report.name}"'.encode()).fetchall()
            found[report.name] = sorted(
                repr(
                    {
                        name: value
                        for name, value in line.items()
                        # A line's place counts the lines before it.
                        if not isinstance(value, list)
                        and (report.name, name) != ("data_health", "place")
                    }
                )
                for line in lines
                if not (
                    report.name == "data_health"
                    and (line["metric"] in OF_ELEMENTS or line["metric"].startswith("rejected_"))
                )
            )
        return found

    def ledger_closes(self) -> bool:
        """For each day, and for the rows of both tables."""
        return not self.ask(
            "SELECT report_date FROM grader_load AS l WHERE received <> loaded + already_there"
            " + duplicates + rejected OR duplicates + rejected <> (SELECT count(*) FROM"
            " grader_rejected AS r WHERE r.report_date = l.report_date)"
            " OR loaded + already_there > (SELECT count(*) FROM grader"
            "  WHERE (created_at + interval '3 hours')::date = l.report_date)"
            " OR least(loaded, already_there, duplicates, rejected, differing, updated) < 0"
            " OR greatest(differing, updated) > already_there"
        )

    def dump(self) -> str:
        """Every value of every table, as text: bytes as they are."""
        found = []
        for schema, table in self.ask(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ):
            for line in self.ask(f'SELECT * FROM "{schema}"."{table}"'):
                found += [
                    value.decode(errors="replace") if isinstance(value, bytes) else str(value)
                    for value in line
                ]
        return "\n".join(found)


def opened() -> Any:
    """The database of the settings, closed by the block's end."""
    from contextlib import closing

    return closing(Postgres())


def elements_of(path: UPath) -> list[bytes]:
    with unpacked(path.open("rb")) as body:
        return [bytes(e) for batch in batches(body, 1, lambda _: None) for e in batch]


def all_elements(dates: list[dt.date]) -> dict[tuple[dt.date, int], list[bytes]]:
    """The elements of each answer by day and number; the current one is the first."""
    return {
        (date, number): elements_of(path)
        for date in dates
        for number, path in enumerate(storage.answers(date))
    }


def contents(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """Each file below the folders, unpacked if it is packed."""
    import pyarrow.parquet as pq

    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            content = path.read_bytes()
            if path.suffix == ".zst":
                content = b"\n".join(elements_of(UPath(path)))
            elif path.suffix == ".parquet":
                content = repr(pq.read_table(path).to_pylist()).encode()
            elif path.suffix == ".xlsx":
                content = _workbook(path)
            yield path, content


def _workbook(path: Path) -> bytes:
    import zipfile

    with zipfile.ZipFile(path) as packed:
        return b"\n".join(packed.read(name) for name in packed.namelist())


def home() -> Path:
    return Settings().grader_home

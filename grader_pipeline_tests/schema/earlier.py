"""The schemas of earlier releases, and what the code of those releases does with them.

A folder beside this file holds one release's SQL as it was: its schema, the statements that bring
its rollups up to date, its reports. ``release_0_2`` also holds an installation: five generated days
that the code of 0.2.0 loaded, out of order, into database, storage, workbook and outbox. The first
three mails are sent, the last two are queued. Mails have no picture, which would be most of them.
Nothing here changes any more.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from grader_pipeline.partitions import school_day
from grader_pipeline.resources.postgres import Connection
from grader_pipeline_tests.reports.conftest import insert
from grader_pipeline_tests.reports.twin import Attempt

_HERE = Path(__file__).parent
_RELATION = re.compile(rb"CREATE (?:TABLE IF NOT EXISTS|OR REPLACE VIEW) (\w+)")


@dataclass(frozen=True)
class Release:
    """An earlier release."""

    name: str
    steps: tuple[str, ...]
    """The statements of its folder ``load`` that bring the rollups up to date, in order."""
    reports_folder: str = "metrics"

    def read(self, path: str) -> bytes:
        return (_HERE / self.name / path).read_bytes()

    def names(self, folder: str) -> list[str]:
        return sorted(path.stem for path in (_HERE / self.name / folder).iterdir())

    def schema(self) -> list[bytes]:
        return [self.read(f"schema/{name}.sql") for name in self.names("schema")]

    def create(self, db: Connection) -> None:
        """Make its tables, and leave the line by which it knows them."""
        for file in self.schema():
            db.execute(file)
        if self.migrations():
            note = "INSERT INTO schema_migration (number, name) VALUES (%s, %s)"
            for number, name in self.migrations():
                db.execute(note, [number, name])
        elif db.execute("SELECT to_regclass('schema_applied') AS it").fetchone()["it"]:
            db.execute("INSERT INTO schema_applied (sha256) VALUES (%s)", [self.sha256()])

    def migrations(self) -> list[tuple[int, str]]:
        """The numbers and names of its migrations; none before 0.2.0."""
        names = self.names("schema")
        known = "001_schema_migration" in names
        return [(int(name.partition("_")[0]), name) for name in names] if known else []

    def sha256(self) -> str:
        return sha256(b"".join(self.schema())).hexdigest()

    def finds_its_schema(self, db: Connection) -> bool:
        """Whether a session of it takes the tables as they are, and applies nothing."""
        wanted = _RELATION.findall(b"\n".join(self.schema()))
        relations = [name.decode() for name in wanted]
        found = db.execute(
            self.read("session/is_schema_applied.sql"),
            {"sha256": self.sha256(), "relations": relations},
        ).fetchone()
        return found["answer"]

    def load(self, db: Connection, day: dt.date, attempts: Iterable[Attempt]) -> None:
        """Store a day's attempts and bring the rollups up to date."""
        insert(db, attempts)
        for step in self.steps:
            db.execute(self.read(f"load/{step}.sql"), school_day(day.isoformat()).parameters)

    def reports(self, db: Connection, day: dt.date) -> dict[str, list[dict[str, Any]]]:
        """The rows of each of its reports of a day, in one order."""
        bound = {
            "report_date": day, "timezone": "Europe/Moscow",
            **school_day(day.isoformat()).parameters,
        }  # fmt: skip
        return {
            name: sorted(db.execute(self.query(name).encode(), bound).fetchall(), key=repr)
            for name in self.names(self.reports_folder)
        }

    def query(self, report: str) -> str:
        """The query of one of its reports."""
        text = self.read(f"{self.reports_folder}/{report}.sql").decode()
        # The header has per cent signs that are no parameters.
        return re.sub(r"^--.*$", "", text, flags=re.MULTILINE)


RELEASE_0_1 = Release(
    "release_0_1",
    (
        "lock_rollups", "remember_engagements", "forget_engagement_day", "roll_up_day",
        "number_learners", "number_tasks", "keep_engagement_day", "touch_engagements",
        "forget_engagements", "roll_up_engagements", "note_rollup",
    ),
)  # fmt: skip
RELEASE_0_2 = Release("release_0_2", RELEASE_0_1.steps, reports_folder="reports")
LEARNER_TASK_TABLES = Release(
    "learner_task_tables",
    (
        "lock_rollups", "remember_learner_tasks", "forget_learner_task_day", "roll_up_day",
        "touch_learner_tasks", "forget_learner_task", "roll_up_learner_task", "note_rollup",
    ),
)  # fmt: skip
"""Before 0.1.0: learner_task and learner_task_day are tables that name learners and tasks."""

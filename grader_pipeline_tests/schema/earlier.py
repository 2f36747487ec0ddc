"""The schemas of earlier releases, and what the code of those releases does with them.

A folder beside this file holds one release's SQL as it was: its schema, the statements that bring
its rollups up to date, its reports. Nothing here changes any more.
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

    def read(self, path: str) -> bytes:
        return (_HERE / self.name / path).read_bytes()

    def schema(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((_HERE / self.name / "schema").iterdir())]

    def create(self, db: Connection) -> None:
        """Make its tables, and leave the line by which it knows them."""
        for file in self.schema():
            db.execute(file)
        if db.execute("SELECT to_regclass('schema_applied') AS it").fetchone()["it"]:
            db.execute("INSERT INTO schema_applied (sha256) VALUES (%s)", [self.sha256()])

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
            path.stem: sorted(self._report(db, path, bound), key=repr)
            for path in sorted((_HERE / self.name / "metrics").iterdir())
        }

    def _report(self, db: Connection, path: Path, bound: dict[str, Any]) -> list[dict[str, Any]]:
        # The header has per cent signs that are no parameters.
        query = re.sub(r"^--.*$", "", path.read_text(), flags=re.MULTILINE)
        return db.execute(query.encode(), bound).fetchall()


RELEASE_0_1 = Release(
    "release_0_1",
    (
        "lock_rollups", "remember_engagements", "forget_engagement_day", "roll_up_day",
        "number_learners", "number_tasks", "keep_engagement_day", "touch_engagements",
        "forget_engagements", "roll_up_engagements", "note_rollup",
    ),
)  # fmt: skip
LEARNER_TASK_TABLES = Release(
    "learner_task_tables",
    (
        "lock_rollups", "remember_learner_tasks", "forget_learner_task_day", "roll_up_day",
        "touch_learner_tasks", "forget_learner_task", "roll_up_learner_task", "note_rollup",
    ),
)  # fmt: skip
"""Before 0.1.0: learner_task and learner_task_day are tables that name learners and tasks."""

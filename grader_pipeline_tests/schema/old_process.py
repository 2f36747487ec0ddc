"""What a process of 0.2.0 does with a database, by the SQL in the folder ``release_0_2``."""

import ast
import datetime as dt
import json
from typing import Any

from psycopg import sql

from grader_pipeline.partitions import school_day
from grader_pipeline.resources.connections import Connection
from grader_pipeline_tests.schema.earlier import RELEASE_0_2

COLUMNS = (
    "user_id", "oauth_consumer_key", "lis_result_sourcedid", "lis_outcome_service_url",
    "is_correct", "attempt_type", "created_at",
)  # fmt: skip
OTHERS = tuple(name for name in COLUMNS if name not in ("user_id", "created_at"))
"""The columns of an attempt in 0.2.0, and those beside its key."""


class OldProcess:
    """Executes statements of 0.2.0. ``done`` are their names."""

    def __init__(self, db: Connection) -> None:
        self.db = db
        self.done: set[str] = set()

    def execute(self, name: str, **given: Any) -> list[dict[str, Any]]:
        """Execute a statement of 0.2.0 and give its rows."""

        def listed(names: tuple[str, ...], *table: str) -> sql.Composed:
            return sql.SQL(", ").join(sql.Identifier(*table, column) for column in names)

        self.done.add(name)
        text = RELEASE_0_2.read(f"{name}.sql").decode()
        query: Any = text.encode()
        if "columns}" in text:
            query = sql.SQL(text).format(
                columns=listed(COLUMNS),
                other_columns=listed(OTHERS),
                stored_other_columns=listed(OTHERS, "stored"),
                staged_other_columns=listed(OTHERS, "staged"),
            )
        cursor = self.db.execute(query, given or None)
        if cursor.description:
            return cursor.fetchall()
        return [{"rowcount": cursor.rowcount}]

    def load(self, day: str, answer: bytes) -> None:
        """Load the attempts of an answer that 0.2.0 takes; the rest goes to quarantine."""
        known = school_day(day).parameters
        with self.db.transaction():
            self.execute("load/stage")
            seen, duplicates, rejected = set(), 0, 0
            elements = json.loads(answer)
            for position, element in enumerate(elements):
                try:
                    moment = dt.datetime.fromisoformat(element["created_at"])
                    passback = ast.literal_eval(element["passback_params"])
                    key = (moment, element["lti_user_id"])
                    reasons = ["duplicate_key"] if key in seen else []
                    assert element["lti_user_id"]
                except (TypeError, ValueError, AssertionError):
                    reasons, rejected = ["wrong_type"], rejected + 1
                if reasons:
                    duplicates += reasons == ["duplicate_key"]
                    self.db.execute(
                        "INSERT INTO staged_rejected VALUES (%s, %s, %s)",
                        [position, reasons, json.dumps(element)],
                    )
                    continue
                seen.add(key)
                verdict = element["is_correct"]
                self.db.execute(
                    sql.SQL("INSERT INTO staged_attempts (position, {}) VALUES ({})").format(
                        sql.SQL(", ").join(map(sql.Identifier, COLUMNS)),
                        sql.SQL(", ").join([sql.Placeholder()] * (len(COLUMNS) + 1)),
                    ),
                    [
                        position, element["lti_user_id"], passback["oauth_consumer_key"],
                        passback["lis_result_sourcedid"],
                        passback.get("lis_outcome_service_url"),
                        None if verdict is None else bool(verdict), element["attempt_type"], moment,
                    ],
                )  # fmt: skip
            self.execute("load/find_twins", **known)
            self.execute("load/index_twins")
            (twins,) = self.execute("load/count_twins")
            (new,) = self.execute("load/insert_new")
            self.execute("load/update_differing")
            self.execute("load/forget_rejected", **known)
            self.execute("load/keep_rejected", **known)
            self.execute(
                "load/write_ledger", **known, **twins, run_id="of 0.2.0", received=len(elements),
                loaded=new["rowcount"], duplicates=duplicates, rejected=rejected, body_sha256="",
            )  # fmt: skip
            self.execute("load/has_rollup", **known)
            for step in RELEASE_0_2.steps:
                self.execute(f"load/{step}", **known)
            self.execute("load/outgrown_rollups")
        (ledger,) = self.execute("checks/ledger_and_tables", **known)
        assert ledger["received"] == len(elements)
        assert ledger["stored"] == ledger["loaded"] + ledger["already_there"]

    def report(self, day: str) -> None:
        """Compute and store each of its reports of a day."""
        known = school_day(day).parameters
        further = {"report_date": dt.date.fromisoformat(day), "timezone": "Europe/Moscow"}
        names = RELEASE_0_2.names("reports")
        self.execute("report_tables/forget_failures", **known, now=names, all=names)
        for name in names:
            with self.db.transaction():
                of = {**known, "report": name, "history": 28}
                (inputs,) = self.execute("report_tables/inputs", **of)
                table = "CREATE TEMPORARY TABLE fresh_report ON COMMIT DROP AS\n"
                query = table + RELEASE_0_2.query(name)
                self.db.execute(query.encode(), {**known, **further})
                columns = self.execute("report_tables/columns", table="pg_temp.fresh_report")
                listed = ", ".join(column["name"] for column in columns)
                self.db.execute(
                    f"INSERT INTO {name} (report_date, {listed})"
                    f" SELECT %(report_date)s, {listed} FROM fresh_report".encode(),
                    further,
                )
                self.execute("report_tables/note_day", **of, **inputs)
                self.execute("report_tables/outdated_days", **of)
        self.execute("report_tables/note_failure", **known, report="odd", message="no")
        self.execute("report_tables/forget_failures", **known, now=names, all=names)
        assert self.execute("report_tables/failures", **known) == []

    def mail(self, day: str) -> None:
        """Decide on a mail and send it."""
        candidate = {"id": "a run", "kind": "run", "occurred_at": dt.datetime.now(dt.UTC)}
        self.execute("mail/see_candidate", **candidate)
        assert [row["id"] for row in self.execute("mail/open_candidates")] == ["a run"]
        assert self.execute("mail/is_settled", id="a run") == [{"value": False}]
        of_day = {"report_date": dt.date.fromisoformat(day)}
        for read in ("accounting", "compared_metrics", "rejected_reasons"):
            assert self.execute(f"mail/{read}", **of_day), read
        metrics = self.execute(
            "mail/main_metrics", report_dates=[of_day["report_date"]], metrics=["submits"]
        )
        assert len(metrics) == 1
        self.execute("mail/count_recoveries", key="recovered:")
        self.execute("mail/is_enqueued", key="failure:")
        mail = {
            "key": "success:0.2.0", "kind": "success", **of_day, "subject": "a", "message": b"a",
            "recipients": ["anna@school.example"],
        }  # fmt: skip
        assert self.execute("mail/enqueue", **mail) == [{"key": mail["key"]}]
        self.execute("mail/settle_candidate", **candidate)
        while due := self.execute("mail/claim_due", lease_seconds=60):
            for address in due[0]["recipients"]:
                of = {"key": due[0]["key"], "address": address}
                self.execute("mail/note_recipient", **of, state="sent", answer=None)
            self.execute("mail/note_attempt", key=due[0]["key"], error=None, pause_seconds=15)
        assert self.execute("mail/undelivered") == []
        assert self.execute("mail/requeue") == []

    def finds_its_schema(self) -> bool:
        """Whether it applies nothing, and misses nothing of its schema."""
        numbers = [number for number, _ in RELEASE_0_2.migrations()]
        wanted = ["grader", "grader_load", "mail_outbox", "mail_candidate", "engagement_day"]
        (state,) = self.execute("session/schema_state", relations=wanted)
        live = self.execute("checks/described_columns", temporary=False)
        with self.db.transaction(force_rollback=True):
            self.execute("checks/use_temporary_schema")
            for file in RELEASE_0_2.schema():
                self.db.execute(file)
            needed = self.execute("checks/described_columns", temporary=True)
        lacks = {row["line"] for row in needed} - {row["line"] for row in live}
        return state["number"] >= max(numbers) and not state["missing"] and not lacks

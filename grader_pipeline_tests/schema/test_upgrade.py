"""A database of an earlier release, with data, under the code of today."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg.rows import dict_row

from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.connections import Connection
from grader_pipeline.resources.migrations import schema_differences
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.statements import statement
from grader_pipeline_tests.grader import learner
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import (
    DAY,
    OK,
    RUN,
    TODAY,
    WEEK_AGO,
    WRONG,
    YESTERDAY,
    at,
)
from grader_pipeline_tests.reports.twin import Attempt
from grader_pipeline_tests.schema.earlier import (
    LEARNER_TASK_TABLES,
    RELEASE_0_1,
    RELEASE_0_2,
    Release,
)

# Learners come back to their tasks on other days, and one day is loaded after a later one.
MONTH_AGO = [at("18:00", learner(n), (RUN, WRONG, OK)[n % 3], back=27) for n in range(30)]
DAYS: dict[dt.date, list[Attempt]] = {
    DAY - dt.timedelta(days=7): WEEK_AGO,
    DAY: [*TODAY, *(at("13:00", learner(n), (OK, WRONG)[n % 2]) for n in range(30))],
    DAY - dt.timedelta(days=27): MONTH_AGO,
    DAY - dt.timedelta(days=1): YESTERDAY,
}
# Attempts that earlier releases read no course or task out of, or another than today.
OTHER_FORMS = [
    Attempt(
        learner(n), at("20:00", "x", None, back=back).at + dt.timedelta(minutes=n),
        (None, False, True)[n % 3], text=text.format(learner(n)),
    )
    for back in (0, 27)
    for n, text in enumerate(
        (
            "course-v1%3AS%2BA%2B1:lms.example.org-" + "a" * 32 + ":{}",
            "course-v1%3AS%2BA%2B1:lms.example.org-lab_one:{}",
            "course-v1:S+A+1:lms.example.org:8000-lab_one:{}",
            "course-v1:S+A+1:lms.example.org-lab_two:{}",
            "1-22-333-4444", "{}", "course-v1:S+A 1:lms.example.org-" + "a" * 32 + ":{}",
        )
        * 3
    )
]  # fmt: skip
CONTRACT = ("submits", "successful_submits", "unique_users")
RELEASES = pytest.mark.parametrize(
    "release", [RELEASE_0_2, RELEASE_0_1, LEARNER_TASK_TABLES], ids=lambda r: r.name
)

_COLUMNS = """
    SELECT relname, relkind, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
        row_number() OVER (PARTITION BY attrelid ORDER BY attnum) AS place,
        attcollation::regcollation::text, pg_get_expr(adbin, adrelid)
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'p')
      AND attnum > 0 AND NOT attisdropped"""
_REST = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'",
    "SELECT sequencename, data_type::text, increment_by FROM pg_sequences"
    " WHERE schemaname = 'public'",
    "SELECT proname, pg_get_functiondef(oid) FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace",
    "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT number, name FROM schema_migration",
    "SELECT sha256 FROM schema_applied",
)


@pytest.fixture
def earlier(database_url: str) -> Iterator[Connection]:
    """A session past all code of today."""
    with psycopg.connect(database_url, autocommit=True, row_factory=dict_row) as db:
        db.execute("SET TIME ZONE 'UTC'")
        yield db


@pytest.fixture
def fresh(postgres_18: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[School]:
    """A second database, made and loaded by the code of today only."""
    with psycopg.connect(postgres_18, autocommit=True) as admin:
        admin.execute("CREATE DATABASE fresh_beside_upgraded")
        postgres = Postgres()
        with monkeypatch.context() as patch:
            patch.setenv(
                "DATABASE_URL", postgres_18.replace("/postgres?", "/fresh_beside_upgraded?")
            )
            with postgres.transaction():
                pass
        school = School(postgres)
        for day, attempts in DAYS.items():
            school.load(day, attempts)
        yield school
        postgres.close()
        admin.execute("DROP DATABASE fresh_beside_upgraded WITH (FORCE)")


def load_all(release: Release, db: Connection) -> None:
    release.create(db)
    for day, attempts in DAYS.items():
        with db.transaction():
            release.load(db, day, attempts)


def upgrade() -> None:
    postgres = Postgres()
    with postgres.transaction() as db:
        assert schema_differences(db) == []
    postgres.close()


def lines(db: Connection, query: str) -> list[str]:
    return sorted(repr(tuple(row.values())) for row in db.execute(query.encode()).fetchall())


def described(db: Connection) -> list[list[str]]:
    return [lines(db, query) for query in (_COLUMNS, *_REST)]


def content(db: Connection) -> dict[str, list[str]]:
    """What the tables hold, without the numbers that learners, tasks and versions get."""
    whole = ("learner_task", "learner_task_day")
    return {
        **{name: lines(db, f"SELECT * FROM {name}") for name in whole},
        "grader": lines(db, "SELECT to_jsonb(grader) - 'id' AS line FROM grader"),
        "rollup_day": lines(db, "SELECT report_date FROM rollup_day"),
    }


@RELEASES
def test_an_upgraded_database_is_made_like_a_fresh_one(
    earlier: Connection, fresh: School, release: Release
) -> None:
    load_all(release, earlier)
    kind = "SELECT relkind FROM pg_class WHERE relname = 'learner_task'"
    assert lines(earlier, kind) == [f"('{'r' if release is LEARNER_TASK_TABLES else 'v'}',)"]
    upgrade()
    with fresh.postgres.transaction() as db:
        assert described(earlier) == described(db)


@RELEASES
def test_an_upgraded_database_holds_what_a_fresh_one_holds_after_the_same_days(
    earlier: Connection, fresh: School, release: Release
) -> None:
    load_all(release, earlier)
    upgrade()
    with fresh.postgres.transaction() as db:
        expected = content(db)
    assert len(expected["learner_task_day"]) > 60
    assert content(earlier) == expected


@RELEASES
def test_submits_without_verdict_are_wrong_ones_after_an_upgrade_and_all_reports_wait(
    earlier: Connection, release: Release
) -> None:
    load_all(release, earlier)
    unknown = [replace(at("13:20", learner(n), None), kind="submit") for n in range(3)]
    with earlier.transaction():
        release.load(earlier, DAY, unknown)
    wrong = "SELECT sum(wrong_submits) AS wrong, sum(submits - successes) AS expected FROM {}"
    of_day = wrong.format("learner_task_day").encode()
    before = earlier.execute(of_day).fetchone() or {}
    assert before["wrong"] == before["expected"] - 3
    noted = [(day, name) for day in DAYS for name in ("courses", "daily_metrics")]
    earlier.execute(
        "CREATE TABLE IF NOT EXISTS report_day (report text NOT NULL, report_date date NOT NULL,"
        " inputs bigint NOT NULL, PRIMARY KEY (report, report_date))"
    )
    for day, name in noted:
        earlier.execute(
            "INSERT INTO report_day SELECT %s, %s, sum(version) FROM rollup_day"
            " WHERE report_date <= %s",
            [name, day, day],
        )
    upgrade()
    after = earlier.execute(of_day).fetchone() or {}
    assert after["wrong"] == after["expected"] == before["expected"]
    postgres = Postgres()
    with postgres.transaction() as db:
        assert waiting_days(db, only_outdated=True) == sorted(DAYS)
    postgres.close()
    school = School(Postgres())
    for day in sorted(DAYS):
        school.compute(day)
    with school.postgres.transaction() as db:
        assert waiting_days(db, only_outdated=True) == []
    school.postgres.close()


@RELEASES
def test_an_upgrade_marks_the_days_whose_courses_and_tasks_an_earlier_release_read_otherwise(
    earlier: Connection, fresh: School, release: Release
) -> None:
    load_all(release, earlier)
    renamed = [DAY - dt.timedelta(days=27), DAY]
    for day in renamed:
        others = [attempt for attempt in OTHER_FORMS if attempt.day == day]
        with earlier.transaction():
            release.load(earlier, day, others)
        fresh.load(day, others)
    upgrade()
    earlier.execute(
        "INSERT INTO school_calendar (timezone, start_date) VALUES ('Europe/Moscow', '2023-04-01')"
    )
    marked = earlier.execute("SELECT report_date FROM changed_day ORDER BY report_date").fetchall()
    assert [row["report_date"] for row in marked] == renamed
    upgraded = School(Postgres())
    for day in renamed:
        upgraded.load(day, [])
    upgraded.postgres.close()
    with fresh.postgres.transaction() as db:
        assert content(earlier) == content(db)
    lab = "SELECT course FROM learner_task WHERE task = 'lab_one' GROUP BY course"
    assert lines(earlier, lab) == ["('course-v1:S+A+1',)"]


@RELEASES
def test_days_loaded_after_an_upgrade_find_what_was_loaded_before(
    earlier: Connection, fresh: School, release: Release
) -> None:
    load_all(release, earlier)
    upgrade()
    upgraded = School(Postgres())
    tomorrow = DAY + dt.timedelta(days=1)
    for school in (upgraded, fresh):
        school.load(tomorrow, [at("09:00", learner(n), OK, back=-1) for n in range(40)])
        school.compute(tomorrow)
    with fresh.postgres.transaction() as db:
        assert content(earlier) == content(db)
    assert sorted(map(repr, upgraded.rows("tasks"))) == sorted(map(repr, fresh.rows("tasks")))
    upgraded.postgres.close()


def test_reports_of_the_previous_release_say_the_same_on_the_upgraded_database(
    earlier: Connection,
) -> None:
    load_all(RELEASE_0_1, earlier)
    before = {day: RELEASE_0_1.reports(earlier, day) for day in DAYS}
    assert all(before[DAY][name] for name in ("courses", "tasks", "learners", "hours"))
    upgrade()
    assert {day: RELEASE_0_1.reports(earlier, day) for day in DAYS} == before


def test_the_contracts_metrics_are_the_same_in_the_previous_release_and_today(
    earlier: Connection,
) -> None:
    load_all(RELEASE_0_1, earlier)
    upgrade()
    today = School(Postgres())
    for day in DAYS:
        today.compute(day, "daily_metrics")
        previous = RELEASE_0_1.reports(earlier, day)["daily_metrics"]
        before, after = (
            {row["metric"]: row["value"] for row in rows if row["metric"] in CONTRACT}
            for rows in (previous, today.rows("daily_metrics", day))
        )
        assert len(after) == len(CONTRACT)
        assert after == before
    today.postgres.close()


def test_the_previous_release_finds_its_schema_in_a_newer_database_and_loads_there(
    earlier: Connection, fresh: School
) -> None:
    load_all(RELEASE_0_1, earlier)
    upgrade()
    with fresh.postgres.transaction() as db:
        assert RELEASE_0_1.finds_its_schema(db)
    assert RELEASE_0_1.finds_its_schema(earlier)
    tomorrow = DAY + dt.timedelta(days=1)
    attempts = [at("09:00", learner(n), OK, back=-1) for n in range(40)]
    with earlier.transaction():
        RELEASE_0_1.load(earlier, tomorrow, attempts)
    fresh.load(tomorrow, attempts)
    with fresh.postgres.transaction() as db:
        assert content(earlier) == content(db)


def test_mail_candidates_of_the_previous_release_and_of_today_are_the_same(
    earlier: Connection,
) -> None:
    """A daemon of the previous release may run until it is restarted."""

    def previously(name: str, identity: str = "") -> list[str]:
        given = {"id": identity, "kind": "run", "occurred_at": dt.datetime.now(dt.UTC)}
        done = earlier.execute(RELEASE_0_1.read(f"mail/{name}.sql"), given)
        return [row["id"] for row in done.fetchall()] if done.description else []

    load_all(RELEASE_0_1, earlier)
    previously("see_occasion", "settled before")
    previously("settle_occasion", "settled before")
    previously("see_occasion", "open before")
    upgrade()
    previously("see_occasion", "seen after")
    previously("settle_occasion", "seen after")
    previously("settle_occasion", "open before")
    previously("see_occasion", "open after")
    previously("see_occasion", "open after")
    today = earlier.execute(statement("mail/open_candidates")).fetchall()
    assert [row["id"] for row in today] == previously("open_occasions") == ["open after"]
    known = "SELECT id FROM mail_candidate ORDER BY occurred_at"
    assert [row["id"] for row in earlier.execute(known).fetchall()] == [
        "settled before", "open before", "seen after", "open after"
    ]  # fmt: skip

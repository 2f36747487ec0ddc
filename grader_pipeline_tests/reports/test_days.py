"""What days do to each other's reports: nothing, unless one of them has changed."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from grader_pipeline.definitions import build_defs
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.rollups import roll_up
from grader_pipeline.reports.tables import prepare, store_reports
from grader_pipeline_tests.grader import attempt, learner, rows, running
from grader_pipeline_tests.reports.conftest import REPORTS, School, without_numbers
from grader_pipeline_tests.reports.school_days import DAY, OK, RUN, WRONG, X, Y, at
from grader_pipeline_tests.reports.twin import Attempt

_NAMED = ("learner_task_day", "learner_task")
_STORED = ("engagement_day", "engagement", "learner", "task")


def month() -> dict[dt.date, list[Attempt]]:
    """Days on which learners come back to tasks that they began on earlier ones."""
    days: dict[dt.date, list[Attempt]] = {}
    for back in (35, 28, 27, 8, 7, 3, 1, 0):
        days[DAY - dt.timedelta(days=back)] = [
            at(f"{9 + n % 8:02}:{n * 7 % 60:02}", f"u{n % 7}",
               (RUN, WRONG, OK)[(n + back) % 3], (X, Y)[n % 2], back=back)
            for n in range(16)
        ]  # fmt: skip
    return days


def content(school: School, *, with_versions: bool = False) -> dict[str, Any]:
    """Everything that the rollups and the reports hold, in no order.

    Without versions also without the numbers of learners and tasks, which come as they come.
    """
    what, rollups = ("xmin::text, *", _STORED) if with_versions else ("*", _NAMED)
    found = {table: school.ask(f"SELECT {what} FROM {table}") for table in (*rollups, *REPORTS)}
    if not with_versions:
        for name in REPORTS:
            found[name] = [without_numbers(name, row) for row in found[name]]
    return {table: sorted(map(repr, rows)) for table, rows in found.items()}


def test_days_loaded_in_any_order_give_the_same_tables(school: School) -> None:
    days = month()
    oldest_first = list(days)
    shuffled = [oldest_first[place] for place in (5, 7, 0, 2, 6, 1, 4, 3)]
    seen = []
    for order in (oldest_first, shuffled):
        school.forget()
        for day in order:
            school.load(day, days[day])
            school.compute(day)
        seen.append(content(school))
    assert seen[0]["tasks"]
    assert seen[1] == seen[0]


def test_a_second_run_of_a_day_writes_nothing(school: School) -> None:
    for day, attempts in month().items():
        school.load(day, attempts)
        school.compute(day)
    before = content(school, with_versions=True)
    school.compute(DAY)
    school.compute(DAY - dt.timedelta(days=7))
    assert content(school, with_versions=True) == before


def test_a_late_correction_refreshes_what_looks_back_at_it_and_nothing_else(
    school: School,
) -> None:
    for day, attempts in month().items():
        school.load(day, attempts)
        school.compute(day)
    before = content(school, with_versions=True)
    corrected = DAY - dt.timedelta(days=8)
    # One more wrong submit of one learner, on a day that had none of it.
    school.load(corrected, [at("20:00", "u1", WRONG, X, back=8)])
    school.compute(corrected)
    after = content(school, with_versions=True)
    changed = {
        (table, line.split("'report_date': datetime.date(")[1].split(")")[0])
        for table in REPORTS
        for line in set(after[table]) - set(before[table])
    }
    days = {table: {day for other, day in changed if other == table} for table in REPORTS}
    assert days["hours"] == {"2023, 5, 23"}
    assert days["data_health"] <= {"2023, 5, 23"}
    assert "2023, 5, 24" in days["courses"]  # the correction is one of its seven days before
    assert days["daily_metrics"] >= {"2023, 5, 23"}
    earlier = {"2023, 4, 26", "2023, 5, 3", "2023, 5, 4"}
    assert not {day for _, day in changed} & earlier
    fresh = content(school)
    school.forget()
    for day, attempts in month().items():
        extra = [at("20:00", "u1", WRONG, X, back=8)] if day == corrected else []
        school.load(day, [*attempts, *extra])
        school.compute(day)
    assert content(school) == fresh


def test_an_earlier_day_that_comes_later_shows_on_the_later_one_and_in_its_asset(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = build_defs().resolve_job_def("grader_day")
    learners = iter((learner("ann"), learner("bob")))
    with running() as grader, dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setenv("GRADER_API_URL", grader.url)
        monkeypatch.setenv("GRADER_API_CLIENT", "school")
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", "key")
        for day in ("2023-05-31", "2023-05-30"):
            grader.answer = rows([attempt(f"{day} 09:00:00", next(learners))])
            result = job.execute_in_process(partition_key=day, instance=instance)
    change = "SELECT value FROM daily_metrics WHERE metric = %s AND report_date = %s"
    assert school.ask(change, "users_to_day_before", DAY) == [{"value": 0}]
    refreshed = {
        event.materialization.asset_key.to_user_string()
        for event in result.get_asset_materialization_events()
        if event.materialization.partition == "2023-05-31"
    }
    # What changed, and what shows it. A report of the day alone is not computed again.
    assert {"daily_metrics", "metrics", "sheet_report"} <= refreshed
    assert not refreshed & {name for name, report in REPORTS.items() if report.history == 1}


@pytest.fixture
def history(school: School, monkeypatch: pytest.MonkeyPatch) -> School:
    """Half a year, 200 attempts a day: looking through all of it would be seen."""
    monkeypatch.setenv("GRADER_START_DATE", "2022-01-01")
    with school.postgres.transaction() as db:
        db.execute(
            "INSERT INTO grader (user_id, lis_result_sourcedid, is_correct, attempt_type,"
            " created_at)"
            " SELECT who,"
            "   'course-v1:S+' || n %% 4 || '+1:lms-'"
            "     || md5(((day / 20) * 50 + n / 6)::text) || ':' || who,"
            "   CASE n %% 3 WHEN 1 THEN true WHEN 2 THEN false END,"
            "   CASE n %% 3 WHEN 0 THEN 'run' ELSE 'submit' END,"
            "   %s::date - day + interval '1 hour' + n * interval '5 minutes'"
            " FROM generate_series(0, 179) AS day, generate_series(0, 199) AS n,"
            " md5(((day * 37 + n) %% 3000)::text) AS who",
            [DAY],
        )
    for back in range(180):
        with school.postgres.transaction() as db:
            roll_up(db, school_day((DAY - dt.timedelta(days=back)).isoformat()))
    with school.postgres.transaction() as db:
        db.execute("ANALYZE")
    return school


def test_a_days_reports_touch_the_days_rows_and_rollups_only(history: School) -> None:
    day = school_day(DAY.isoformat())
    bound = {"report_date": DAY, "timezone": "Europe/Moscow", **day.parameters}
    for report in REPORTS.values():
        with history.postgres.transaction() as db:
            prepare(db, day)
            plan = db.execute(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {report.query}".encode(), bound
            ).fetchone()["QUERY PLAN"]
        plan = json.loads(plan) if isinstance(plan, str) else plan
        read: dict[str, float] = {}
        for node in nodes(plan[0]["Plan"]):
            table = node.get("Relation Name")
            if table is None:
                continue
            assert (table, node["Node Type"]) not in {
                ("grader", "Seq Scan"), ("engagement_day", "Seq Scan"),
            }, (report.name, node)  # fmt: skip
            lines = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            read[table] = read.get(table, 0) + lines * node["Actual Loops"]
        # A day has 200 attempts, and its rollup as many lines at most. No report reads attempts.
        assert "grader" not in read, report.name
        assert read.get("engagement_day", 0) <= 2 * 29 * 200, report.name


def test_all_reports_of_a_day_read_its_attempts_once_and_each_of_its_28_days_twice_at_most(
    history: School,
) -> None:
    wanted = list(REPORTS.values())
    # Otherwise the server still counts what this session read before.
    history.ask("SELECT pg_stat_force_next_flush()")
    with history.postgres.transaction() as db:
        # Within this transaction, which is theirs too, the server counts what was read.
        store_reports(history.postgres, wanted, school_day(DAY.isoformat()))
        attempts, read = db.execute(
            "SELECT seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('grader', 'engagement_day') ORDER BY relname DESC"
        ).fetchall()
    assert attempts == {"seq_scan": 0, "idx_tup_fetch": 200}
    # courses reads 8 days, daily_metrics 3, data_health 1. Who is stuck, and which tasks nobody has
    # solved, also needs the earlier days of a few learners.
    few_days = 15
    assert read["seq_scan"] == 0
    assert 28 * 180 <= read["idx_tup_fetch"] <= (2 * 28 + few_days) * 200


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def test_the_planner_never_takes_a_day_just_loaded_for_an_empty_one(school: School) -> None:
    for back in range(12, -1, -1):
        day = DAY - dt.timedelta(days=back)
        school.load(day, [at("10:00", f"u{n}", OK, back=back) for n in range(500)])
        (line,) = school.ask(
            "EXPLAIN (FORMAT JSON) SELECT FROM engagement_day WHERE report_date = %s", day
        )
        assert line["QUERY PLAN"][0]["Plan"]["Plan Rows"] > 250


def test_a_day_leaves_alone_the_tasks_whose_first_times_it_does_not_change(school: School) -> None:
    def versions() -> dict[str, str]:
        lines = school.ask(
            "SELECT user_id, engagement.xmin::text AS version FROM engagement"
            " JOIN learner ON learner.id = learner"
        )
        return {line["user_id"]: line["version"] for line in lines}

    yesterday = DAY - dt.timedelta(days=1)
    school.load(yesterday, [at("10:00", "ann", OK, back=1), at("10:00", "bob", RUN, back=1)])
    before = versions()
    school.load(DAY, [at("10:00", "ann", RUN), at("10:00", "bob", OK), at("10:00", "cat", OK)])
    after = versions()
    assert after[learner("ann")] == before[learner("ann")]
    assert after[learner("bob")] != before[learner("bob")]
    assert learner("cat") in after


def test_a_task_on_which_nothing_is_left_is_forgotten(school: School) -> None:
    school.load(DAY, [at("10:00", "ann", OK), at("10:00", "bob", OK)])
    school.ask("DELETE FROM grader WHERE user_id = %s RETURNING id", learner("bob"))
    school.load(DAY, [])
    assert school.ask("SELECT user_id FROM learner_task") == [{"user_id": learner("ann")}]


def test_rollups_that_named_learners_and_tasks_in_every_line_are_taken_over(
    school: School,
) -> None:
    for day, attempts in month().items():
        school.load(day, attempts)
        school.compute(day)
    before = content(school)
    with school.postgres.transaction() as db:
        for name in _NAMED:
            db.execute(f"CREATE TABLE old AS TABLE {name}".encode())
            db.execute(f"DROP VIEW {name}".encode())
            db.execute(f"ALTER TABLE old RENAME TO {name}".encode())
        db.execute("TRUNCATE engagement_day, engagement, learner, task")
        db.execute("DROP TABLE schema_migration, mail_candidate CASCADE")
        db.execute("DROP VIEW attempt")
    school.postgres.close()
    assert content(school) == before
    school.load(DAY, [at("21:00", "u1", OK)])
    assert len(content(school)["learner_task"]) == len(before["learner_task"])

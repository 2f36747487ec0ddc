"""The temporary tables that the reports of a day share: of that day, and for one transaction."""

import datetime as dt
from pathlib import Path

import pytest

from grader_pipeline.partitions import school_day
from grader_pipeline.reports import tables
from grader_pipeline.reports.definition import ReportError
from grader_pipeline.reports.report_files import _TABLES_OF_THE_DAY, read_report
from grader_pipeline.reports.tables import store_reports
from grader_pipeline.resources.postgres import Connection
from grader_pipeline_tests.grader import learner
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import DAY, OK, RUN, WRONG, at


def prepare(db: Connection, day: dt.date) -> None:
    tables.prepare(db, school_day(day.isoformat()))


def temporary_tables(db: Connection) -> list[str]:
    found = db.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
    )
    return [row["relname"] for row in found]


def test_the_tables_are_gone_with_the_transaction_so_that_no_other_day_reads_them(
    school: School,
) -> None:
    with school.postgres.transaction() as db:
        prepare(db, DAY)
        assert set(temporary_tables(db)) == _TABLES_OF_THE_DAY
    with school.postgres.transaction() as db:
        assert not temporary_tables(db)


def test_a_second_day_in_one_transaction_has_tables_of_its_own(school: School) -> None:
    yesterday = DAY - dt.timedelta(days=1)
    school.load(yesterday, [at("10:00", "ann", RUN, back=1)])
    school.load(DAY, [at("10:00", "bob", OK)])
    with school.postgres.transaction() as db:
        found = []
        for day in (DAY, yesterday):
            prepare(db, day)
            found.append(db.execute("SELECT user_id FROM learner_state ORDER BY 1").fetchall())
    both, ann = ([{"user_id": user} for user in sorted(map(learner, names))]
                 for names in (("ann", "bob"), ("ann",)))  # fmt: skip
    assert found == [both, ann]


def test_no_report_can_have_the_name_of_a_table_made_for_all(
    school: School, tmp_path: Path
) -> None:
    with school.postgres.transaction() as db:
        prepare(db, DAY)
        names = temporary_tables(db)
    for name in names:
        (path := tmp_path / f"{name}.sql").write_text("SELECT %(report_date)s::date AS day")
        with pytest.raises(ReportError, match="cannot be named so"):
            read_report(path)


def test_a_report_of_a_schools_own_can_read_nothing_but_the_tables_and_be_computed_alone(
    school: School, tmp_path: Path
) -> None:
    (path := tmp_path / "mine.sql").write_text(
        "-- history: 28 days\n\n"
        "SELECT user_id, sum(recent.submits) AS submits, max(recent.submits_1) AS submits_1,"
        " max(last_date) AS last_date\n"
        "FROM recent_engagement AS recent\n"
        "JOIN learner ON learner.id = recent.learner\n"
        "JOIN learner_state USING (user_id)\n"
        "GROUP BY user_id"
    )
    school.load(DAY - dt.timedelta(days=28), [at("10:00", "eve", WRONG, back=28)])
    school.load(DAY - dt.timedelta(days=27), [at("10:00", "ann", WRONG, back=27)])
    school.load(DAY, [at("10:00", "ann", OK), at("11:00", "ann", RUN)])
    store_reports(school.postgres, [read_report(path)], school_day(DAY.isoformat()))
    assert school.ask("SELECT user_id, submits, submits_1, last_date FROM mine") == [
        {"user_id": learner("ann"), "submits": 2, "submits_1": 1, "last_date": DAY}
    ]


# On the first Sunday of April, the clock of Lord Howe goes back by half an hour at two.
@pytest.mark.parametrize(
    ("timezone", "start", "hours"),
    [
        ("Europe/Moscow", "2024-04-06 21:00", 24),
        ("Asia/Kathmandu", "2024-04-06 18:15", 24),
        ("Australia/Lord_Howe", "2024-04-06 13:00", 24.5),
        ("America/New_York", "2024-03-10 05:00", 23),
    ],
)
def test_each_attempt_counts_in_its_hour_of_the_schools_clock(
    school: School, timezone: str, start: str, hours: float
) -> None:
    begin = dt.datetime.fromisoformat(start)
    of_day = {"start": begin, "end": begin + dt.timedelta(hours=hours), "timezone": timezone}
    with school.postgres.transaction() as db:
        # Beginning and end of each quarter hour, an hour around the day too.
        db.execute(
            "INSERT INTO grader (user_id, attempt_type, is_correct, created_at)"
            " SELECT 'u' || extract(epoch FROM time)::bigint / 900 %% 7,"
            " (ARRAY['run', 'submit', 'submit', 'RUN'])[1 + extract(hour FROM time)::integer %% 4],"
            " (ARRAY[true, false, NULL])[1 + extract(minute FROM time)::integer %% 3], time"
            " FROM generate_series(%(start)s - interval '1 hour', %(end)s + interval '1 hour',"
            " interval '15 minutes') AS quarter"
            " CROSS JOIN LATERAL (VALUES (quarter), (quarter - interval '1 microsecond'))"
            " AS moment (time)",
            of_day,
        )
        db.execute("INSERT INTO excluded_learner (user_id) VALUES ('u3')")
        db.execute("SELECT prepare_hours(%(start)s, %(end)s, %(timezone)s)", of_day)
        found = db.execute("SELECT * FROM learner_hour ORDER BY hour, user_id").fetchall()
        assert found == db.execute(
            "SELECT user_id,"
            " date_part('hour', created_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s)::integer"
            " AS hour,"
            " count(*) FILTER (WHERE attempt_type IN ('run', 'submit')) AS attempts,"
            " count(*) FILTER (WHERE attempt_type = 'submit') AS submits,"
            " count(*) FILTER (WHERE attempt_type = 'submit' AND is_correct) AS successes,"
            " count(*) FILTER (WHERE attempt_type = 'submit' AND is_correct IS NULL)"
            " AS without_verdict"
            " FROM grader WHERE created_at >= %(start)s AND created_at < %(end)s"
            " AND user_id <> 'u3' GROUP BY hour, user_id ORDER BY hour, user_id",
            of_day,
        ).fetchall()  # fmt: skip
    assert sum(row["attempts"] > 0 for row in found) > 60

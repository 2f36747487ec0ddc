"""One file is one report. A wrong file stops no other report; a wrong set of files is an error."""

import datetime as dt
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest

import grader_pipeline
from grader_pipeline import statements
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import school_day
from grader_pipeline.reports import report_files
from grader_pipeline.reports.day_metrics import MAIN_METRICS
from grader_pipeline.reports.definition import OTHERS, ReportError
from grader_pipeline.reports.header_values import MAIN
from grader_pipeline.reports.privacy import read_shown
from grader_pipeline.reports.report_files import read_report, reports
from grader_pipeline.reports.tables import Stored, read_rows, store_reports
from grader_pipeline.settings import Settings
from grader_pipeline.small_groups import LEAST_LEARNERS
from grader_pipeline_tests.grader import attempt, learner, rows, running
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.small_schools import small_school
from grader_pipeline_tests.reports.twin import Attempt

DAY = dt.date(2023, 5, 31)
QUERY = "SELECT 1 AS n WHERE %(report_date)s IS NOT NULL"
GOOD = """-- title: По типам
-- description: Попытки по типам.
-- sheet: yes
-- dimension kind: Тип
-- learners users: Юзеров
-- sum attempts of users: Попыток, 100 % дня
-- chart: bar x=kind y=attempts

SELECT CASE WHEN is_run THEN 'run' ELSE 'submit' END AS kind, count(*) AS attempts,
    count(DISTINCT user_id) AS users
FROM attempt
WHERE created_at >= %(day_start)s AND created_at < %(day_end)s
GROUP BY kind;
"""
BROKEN = """-- title: Сломан
-- sheet: yes
-- column user_id of day: Юзер

SELECT user_id,
       no_such_column
FROM attempt
WHERE created_at >= %(day_start)s
"""


@pytest.mark.parametrize(
    "name", ["Tasks", "grader", "metrics", "learner_task_day", "два", "a-b", "class"]
)
def test_a_report_cannot_take_the_name_of_something_else(tmp_path: Path, name: str) -> None:
    (path := tmp_path / f"{name}.sql").write_text(QUERY)
    with pytest.raises(ReportError, match="cannot be named so"):
        read_report(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-- title: x\n\nSELECT\n  nothing\nWHERE %(report_date)s IS NULL",
         'line 4: column "nothing" does not exist'),
        ("SELECT %(report_date)s::date AS d,\n  100 %% 7 AS n\nFORM attempt",
         'line 3: syntax error at or near "FORM"'),
        ("SELECT %(report_date)s::date + 1 AS report_date",
         "its report_date is not always the day's"),
        ("-- column b of day: B\n\nSELECT %(report_date)s::date AS a",
         "line 1: the query has no column b"),
        ("-- picture: bar x=a y=c\n\nSELECT %(report_date)s::date AS a",
         "line 1: the query has no column c"),
        ("SELECT 'a learner'::integer AS n WHERE %(report_date)s IS NULL",
         'invalid input syntax for type integer: "…"'),
    ],
)  # fmt: skip
def test_a_query_that_cannot_run_is_named_with_file_and_line_and_stores_nothing(
    school: School, tmp_path: Path, text: str, said: str
) -> None:
    (path := tmp_path / "mine.sql").write_text(text)
    found = _store(school, path, "2023-05-31")
    assert isinstance(found, ReportError)
    assert said in str(found)
    assert school.ask("SELECT to_regclass('mine') AS t") == [{"t": None}]


def test_a_table_grows_with_its_query_and_keeps_what_the_query_no_longer_gives(
    school: School, tmp_path: Path
) -> None:
    path = tmp_path / "mine.sql"
    for number, columns in enumerate(["1 AS a", "1 AS a, 'x' AS b", "'x' AS b"]):
        path.write_text(f"SELECT {columns} WHERE %(report_date)s IS NOT NULL")
        assert isinstance(_store(school, path, f"2023-05-1{number}"), Stored)
    found = school.ask("SELECT * FROM mine ORDER BY report_date")
    assert [(row["a"], row["b"]) for row in found] == [(1, None), (1, "x"), (None, "x")]
    path.write_text("SELECT 1.5 AS a WHERE %(report_date)s IS NOT NULL")
    found = _store(school, path, "2023-05-10")
    assert "a is numeric now, and integer in the table" in str(found)


def _store(school: School, path: Path, day: str) -> Stored | ReportError:
    (found,) = store_reports(school.postgres, [read_report(path)], school_day(day)).values()
    return found


LEARNERS_SHOWN = """-- title: Mine
-- sheet: yes
-- dimension user_id: Юзер
-- learners users: Юзеров
-- sum attempts of users: Попыток

SELECT user_id, 1 AS users, count(*) AS attempts
FROM attempt
WHERE created_at >= %(day_start)s AND created_at < %(day_end)s
GROUP BY user_id
UNION ALL
SELECT 'all', count(DISTINCT user_id), count(*)
FROM attempt
WHERE created_at >= %(day_start)s AND created_at < %(day_end)s
"""


def test_a_report_that_selects_learners_shows_none_of_them(school: School, tmp_path: Path) -> None:
    (path := tmp_path / "mine.sql").write_text(LEARNERS_SHOWN)
    noon = dt.datetime(2023, 5, 31, 9)
    users = [learner(name) for name in "abcdef"]
    school.load(DAY, [Attempt(user, noon) for user in users])
    assert isinstance(_store(school, path, "2023-05-31"), Stored)
    with school.postgres.transaction() as db:
        shown = read_shown(db, read_report(path), days=1)
        assert len(read_rows(db, read_report(path), days=1)) == 7
    assert shown == [{"report_date": DAY, "user_id": OTHERS, "users": None, "attempts": 12}]


@pytest.mark.parametrize("column", ["metric", "label"])
def test_a_metric_that_names_a_learner_is_not_stored(
    school: School, tmp_path: Path, column: str
) -> None:
    school.load(DAY, [Attempt(learner("a"), dt.datetime(2023, 5, 31, 9))])
    (main,) = [report for report in reports() if report.sheet == MAIN]
    named = f"CASE WHEN place = 2 THEN '{learner('a')}' ELSE line.{column} END AS {column}"
    text = main.path.read_text().replace(f"line.{column}", named)
    (path := tmp_path / "daily_metrics.sql").write_text(text)
    assert isinstance(_store(school, path, "2023-05-31"), Stored)
    found = school.rows("daily_metrics")
    assert min(row["place"] for row in found) == 1
    assert 2 not in {row["place"] for row in found}


def test_few_gives_the_numbers_of_fewer_than_five_learners(school: School) -> None:
    def few(numbers: list[int | None] | None) -> Any:
        return school.ask("SELECT few(%s::integer[]) AS found", numbers)[0]["found"]

    assert LEAST_LEARNERS == 5
    assert few([7, 3, 9, 1]) == [1, 3, 7, 9]
    assert few([]) == []
    assert [few(numbers) for numbers in ([1, 2, 3, 4, 5], [1, None], None)] == [None] * 3


def test_the_learners_listed_in_a_report_are_those_it_counts(school: School) -> None:
    seed = 5
    for day, attempts in small_school(seed).items():
        school.load(day, attempts)
        school.compute(day)
    listed = 0
    for report in reports():
        for name, column in report.columns.items():
            if not column.listed_in:
                continue
            for row in school.ask(f"SELECT * FROM {report.name}"):
                numbers = row[column.listed_in]
                few = row[name] is not None and 0 < row[name] < LEAST_LEARNERS
                assert (len(set(numbers)) == row[name]) if few else not numbers, report.name
                listed += bool(numbers)
    assert listed > 50


def test_every_report_says_in_english_what_it_means() -> None:
    for report in reports():
        assert report.about.endswith("."), report.name
        assert not re.search("[`А-я]", report.about), report.name


def test_the_main_metrics_are_those_of_the_main_reports_picture() -> None:
    (main,) = [report for report in reports() if report.sheet == "main"]
    assert main.picture.only == ("metric", MAIN_METRICS)


def test_further_reports_come_from_the_folder_of_grader_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reports()
    (tmp_path / "a_report.sql").write_text(GOOD)
    monkeypatch.setenv("GRADER_REPORTS", str(tmp_path))
    assert reports() == sorted(
        [*before, read_report(tmp_path / "a_report.sql")], key=lambda report: report.name
    )


def test_a_name_in_both_folders_is_an_error_that_names_both_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hours.sql").write_text(GOOD)
    monkeypatch.setenv("GRADER_REPORTS", str(tmp_path))
    with pytest.raises(PermanentFailure, match=r"sql/reports/hours\.sql and /.*/hours\.sql"):
        reports()


def test_a_folder_of_grader_reports_without_reports_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("")
    monkeypatch.setenv("GRADER_REPORTS", str(tmp_path))
    with pytest.raises(PermanentFailure, match=r"GRADER_REPORTS: .* has no \.sql file"):
        reports()


def test_files_in_sql_metrics_are_an_error_that_names_the_new_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "metrics").mkdir()
    monkeypatch.setattr(report_files, "SQL", tmp_path)
    assert reports()
    (tmp_path / "metrics" / "mine.sql").write_text(QUERY)
    with pytest.raises(PermanentFailure, match=r"mine\.sql.*reports are in sql/reports now"):
        reports()


def test_no_report_at_all_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "SQL", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"sql/reports has no \.sql file\. Install "):
        reports()


def test_a_new_file_becomes_asset_table_and_worksheet_and_a_broken_one_stops_no_other(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "copy" / "grader_pipeline"
    shutil.copytree(*grader_pipeline.__path__, package)
    (package / "sql" / "reports" / "by_kind.sql").write_text(GOOD)
    (further := tmp_path / "further").mkdir()
    (further / "broken.sql").write_text(BROKEN)
    monkeypatch.setenv("GRADER_REPORTS", str(further))
    (package / "sql" / "reports" / "два слова.sql").write_text(QUERY)
    (package / "sql" / "reports" / "unreadable.sql").write_text(f"-- titel: x\n\n{QUERY}")
    with running() as grader:
        grader.answer = rows([
            attempt(f"2023-05-31 09:{n:02}:00", learner(n), n % 2 or None) for n in range(12)
        ])  # fmt: skip
        monkeypatch.setenv("GRADER_API_URL", grader.url)
        monkeypatch.setenv("GRADER_API_CLIENT", "school")
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", "key")
        run = subprocess.run(
            [sys.executable, "-c", _RUN],
            cwd=package.parent, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert run.returncode == 0, run.stderr
    outcome = json.loads(run.stdout.splitlines()[-1])
    assert outcome["lineage"] == {"by_kind": ["grader_table"], "gathers by_kind": True}
    done = set(outcome["materialized"])
    assert {"by_kind", "daily_metrics", "tasks", "metrics", "sheet_report"} <= done
    assert not {"broken", "unreadable"} & done
    assert not outcome["success"]
    for message in (
        f'{further}/broken.sql, line 6: column "no_such_column"',
        "sql/reports/unreadable.sql, line 1",
        "sql/reports/два слова.sql: a report cannot be named so",
    ):
        assert message in outcome["failure"]
    with psycopg.connect(database_url) as db:
        assert db.execute("SELECT * FROM by_kind ORDER BY kind").fetchall() == [
            (DAY, "run", 6, 6), (DAY, "submit", 6, 6),
        ]  # fmt: skip
        failed = db.execute("SELECT report FROM report_failure ORDER BY report").fetchall()
        assert [name for (name,) in failed if "misnamed" not in name] == ["broken", "unreadable"]
        assert len(failed) == 3
    sheet = openpyxl.load_workbook(Settings().workbook)["По типам"]
    assert [[cell.value for cell in line[1:4]] for line in sheet.iter_rows()] == [
        ["Тип", "Юзеров", "Попыток, 100 % дня"], ["run", 6, 6], ["submit", 6, 6],
    ]  # fmt: skip
    assert len(sheet._charts) == 1


_RUN = """
import json, dagster as dg
from grader_pipeline.definitions import build_defs
defs = build_defs()
graph = defs.resolve_asset_graph()
parents = lambda name: [k.to_user_string() for k in graph.get(dg.AssetKey(name)).parent_keys]
with dg.DagsterInstance.ephemeral() as instance:
    result = defs.resolve_job_def("grader_day").execute_in_process(
        partition_key="2023-05-31", instance=instance, raise_on_error=False)
done = [e.materialization.asset_key.to_user_string()
        for e in result.get_asset_materialization_events()]
failure = " ".join(e.step_failure_data.error_display_string for e in result.all_events
                   if e.is_step_failure)
print(json.dumps({"success": result.success, "materialized": done, "failure": failure,
    "lineage": {"by_kind": parents("by_kind"),
                "gathers by_kind": "by_kind" in parents("metrics")}}))
"""


def test_a_file_that_changes_is_read_again_and_one_that_does_not_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file := tmp_path / "a_report.sql").write_text(GOOD)
    monkeypatch.setenv("GRADER_REPORTS", str(tmp_path))
    first, again = ({report.name: report for report in reports()} for _ in range(2))
    assert first["a_report"] is again["a_report"]
    file.write_text(GOOD + "-- changed\n")
    changed = {report.name: report for report in reports()}
    assert changed["a_report"].query != first["a_report"].query

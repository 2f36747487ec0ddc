"""Whatever happens: reports, records in Dagster, sheet and mails agree with the table grader."""

import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import dagster as dg
import openpyxl
import pytest

from grader_pipeline.asset_names import DAILY_METRICS, GRADER_TABLE, METRICS, SHEET_REPORT
from grader_pipeline.assets.step4_metrics import REPORTS
from grader_pipeline.cli import recompute
from grader_pipeline.mail.resource import Mail
from grader_pipeline.mail.sensor import Cursor, evaluate
from grader_pipeline.reports.day_metrics import MAIN_METRICS
from grader_pipeline.reports.units import cell
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.sheet.table import Value, _plain
from grader_pipeline_tests.grader import running
from grader_pipeline_tests.reports.conftest import without_numbers
from grader_pipeline_tests.reports.test_twin import disagreeing
from grader_pipeline_tests.reports.twin import MOSCOW, Attempt
from grader_pipeline_tests.truth.school import FIRST, START, School, recompute_arguments

EVENTS = 10
_NAMES = re.compile("(course-v1:[^:]+):lms.example.org-([0-9a-f]{32}):[^:]+")
SEEDS = range(*map(int, os.environ.get("TRUTH_SEEDS", "0,2").split(",")))


@pytest.fixture
def school(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[School]:  # fmt: skip
    folder = tmp_path / "dagster"
    folder.mkdir()
    with running() as grader, dg.DagsterInstance.local_temp(str(folder)) as instance:
        monkeypatch.setenv("GRADER_API_URL", grader.url)
        monkeypatch.setenv("GRADER_API_CLIENT", "school")
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", "key")
        monkeypatch.setenv("MAIL_TO", "anna@school.example")
        yield School(request.param, grader, database_url, instance, monkeypatch)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("school", SEEDS, indirect=True)
def test_once_no_day_waits_everything_agrees_with_the_table(school: School) -> None:
    for day in school.days()[:: school.draw.choice((4, 6))]:
        school.load(day)
    for _ in range(EVENTS):
        school.happen()
    school.refresh()
    assert school.waiting() == [], school.story
    stored = _stored_days(school)
    attempts = _attempts(school)
    wrong = {
        day: found
        for day in sorted(stored)
        if day >= START and (found := _differences(school, attempts, stored, day))
    }
    assert not wrong, (school.story, wrong)
    assert not _wrong_records(school, stored), school.story
    assert not _wrong_mails(school), school.story
    kept = _tables(school)
    recompute.run(recompute_arguments())
    assert _tables(school) == kept, school.story
    assert _sheet() == {
        (row["report_date"], row["label"]): _plain(cell(row["value"], row["unit"], row["text"]))
        for row in school.ask("SELECT * FROM daily_metrics")
    }


def _attempts(school: School) -> list[Attempt]:
    """The table grader, with each moment so that Moscow's clock shows the school's time."""
    offset = Settings().timezone.utcoffset(dt.datetime(2023, 5, 1))
    assert offset is not None
    found = []
    for row in school.ask("SELECT * FROM grader"):
        names = _NAMES.fullmatch(unquote(row["lis_result_sourcedid"]))
        course, task = names.groups() if names else (None, None)
        found.append(
            Attempt(
                row["user_id"], row["created_at"] + offset - MOSCOW, row["is_correct"], task,
                course, row["lis_outcome_service_url"], kind=row["attempt_type"],
            )
        )  # fmt: skip
    return found


def _stored_days(school: School) -> set[dt.date]:
    loaded = {row["report_date"] for row in school.ask("SELECT report_date FROM grader_load")}
    return loaded | {attempt.day for attempt in _attempts(school)}


def _differences(
    school: School, attempts: list[Attempt], stored: set[dt.date], day: dt.date
) -> list[Any]:
    def rows(name: str) -> list[dict[str, Any]]:
        rows = school.ask(f"SELECT * FROM {name} WHERE report_date = %s", day)
        return [without_numbers(name, row) for row in rows]

    return disagreeing({name: rows(name) for name in REPORTS}, attempts, stored, day)


def _wrong_records(school: School, stored: set[dt.date]) -> list[Any]:
    """What the UI shows of an asset and a day, where the tables hold something else."""
    newest: dict[tuple[str, str], dg.AssetMaterialization] = {}
    for name in (GRADER_TABLE, METRICS, SHEET_REPORT, *REPORTS):
        page = school.instance.fetch_materializations(dg.AssetKey(name), limit=1000, ascending=True)
        for record in page.records:
            event = record.asset_materialization
            assert event is not None
            newest[name, event.partition or ""] = event
    wrong = []
    for day in sorted(day for day in stored if day >= START):
        table = school.ask("SELECT * FROM daily_metrics WHERE report_date = %s", day)
        values = {r["metric"]: float(r["value"]) for r in table if r["value"] is not None}
        main = {name: value for name, value in values.items() if name in MAIN_METRICS}
        for name, wanted in ((METRICS, main), (DAILY_METRICS, values)):
            event = newest.get((name, day.isoformat()))
            shown = event and {
                key: event.metadata[key].value for key in values.keys() & event.metadata
            }
            if shown != wanted:
                wrong.append((name, day, shown, wanted))
        for name in REPORTS:
            event = newest.get((name, day.isoformat()))
            count = school.ask(f"SELECT count(*) AS n FROM {name} WHERE report_date = %s", day)
            if event is None or event.metadata["dagster/row_count"].value != count[0]["n"]:
                wrong.append((name, day, event and event.metadata["dagster/row_count"], count))
        event = newest.get((SHEET_REPORT, day.isoformat()))
        if event is None or event.metadata["dagster/row_count"].value != len(table):
            wrong.append((SHEET_REPORT, day, event and event.metadata["dagster/row_count"]))
        event = newest.get((GRADER_TABLE, day.isoformat()))
        attempts = school.ask("SELECT attempts AS n FROM rollup_day WHERE report_date = %s", day)[
            0
        ]["n"]
        if event is not None and event.metadata["dagster/row_count"].value != attempts:
            wrong.append((GRADER_TABLE, day, event.metadata["dagster/row_count"], attempts))
    return wrong


def _tables(school: School) -> dict[str, list[str]]:
    """The reports and the rollups by names: computing all of them again changes no line."""
    names = (*REPORTS, "learner_task", "learner_task_day")
    return {name: sorted(map(repr, school.ask(f"SELECT * FROM {name}"))) for name in names}


def _wrong_mails(school: School) -> list[Any]:
    """Days of which colleagues know other figures than daily_metrics has, or none at all."""
    postgres, cursor, said = Postgres(), Cursor(), ""
    while "0 sent" not in said:
        cursor, said = evaluate(school.instance, postgres, Mail(), cursor)
    postgres.close()
    return [
        *school.ask(
            "SELECT report_date, metric, mailed.value, now.value AS now"
            " FROM mailed_metric AS mailed JOIN daily_metrics AS now USING (report_date, metric)"
            " WHERE (round(mailed.value, 2), mailed.text) IS DISTINCT FROM"
            " (round(now.value, 2), now.text)"
        ),
        *(day for day in school.loaded if not school.ask(
            "SELECT FROM mailed_day WHERE report_date = %s AND is_reported", day
        )),
    ]  # fmt: skip


def _sheet() -> dict[tuple[dt.date, str], Value]:
    sheet = openpyxl.load_workbook(Settings().workbook)[Settings().google_sheets_worksheet]
    found = {}
    for day, label, value, *_ in sheet.iter_rows(min_row=2, values_only=True):
        assert isinstance(day, dt.datetime)
        assert (day.date(), label) not in found
        found[day.date(), str(label)] = value
    return found


assert FIRST < START

"""``report`` reads the configured database, or the embedded one."""

import datetime as dt
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from grader_pipeline.local.embedded_postgres import embedded_postgres
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.header_values import MAIN
from grader_pipeline.reports.report_files import reports
from grader_pipeline.reports.tables import store_reports
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings

Run = Callable[..., subprocess.CompletedProcess[str]]

DAY = "2023-05-31"
PERIOD = ("--from", DAY, "--to", DAY)


@pytest.mark.parametrize(("api", "folder"), [("http://127.0.0.1:1/", ""), ("", "demo")])
def test_without_database_url_the_page_comes_from_the_embedded_database_of_its_days(
    home: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: str, folder: str
) -> None:
    monkeypatch.setenv("GRADER_API_URL", api)
    monkeypatch.setenv("GRADER_API_CLIENT", "school")
    monkeypatch.setenv("GRADER_API_CLIENT_KEY", "a-real-key")
    with embedded_postgres(home / folder) as url:
        postgres = Postgres.at(url)
        (main,) = (report for report in reports() if report.sheet == MAIN)
        store_reports(postgres, [main], school_day(DAY))
        postgres.close()
    page = tmp_path / "page.html"
    done = run("report", *PERIOD, "--out", str(page))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Settings: .*\n", done.stderr)
    assert "DATABASE_URL" not in os.environ
    assert "Количество попыток (submit)" in page.read_text(encoding="utf-8")


def test_a_period_without_a_stored_day_is_refused_with_what_to_do(
    database_url: str, run: Run, tmp_path: Path
) -> None:
    done = run("report", *PERIOD, "--out", str(tmp_path / "page.html"))
    assert done.returncode == 1
    assert "No day from 2023-05-31 to 2023-05-31 is stored: materialize" in done.stderr
    assert not (tmp_path / "page.html").exists()
    with psycopg.connect(database_url) as db:
        assert db.execute("SELECT to_regclass('daily_metrics')").fetchone() != (None,)


def test_what_is_not_named_is_28_days_until_yesterday_in_a_file_of_the_current_folder(
    database_url: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_TIMEZONE", "Etc/GMT-14")
    end = dt.datetime.now(Settings().timezone).date() - dt.timedelta(days=1)
    assert f"No day from {end - dt.timedelta(days=27)} to {end} is stored" in run("report").stderr
    assert "No day from 2023-05-04 to 2023-05-31" in run("report", "--to", "31.05.2023").stderr
    postgres = Postgres()
    (main,) = (report for report in reports() if report.sheet == MAIN)
    store_reports(postgres, [main], school_day(end.isoformat()))
    postgres.close()
    page = tmp_path / f"report-{end}-{end}.html"
    assert run("report", "--from", f"{end:%d.%m.%Y}").stdout == f"Report: {page}\n"
    assert "Количество попыток (submit)" in page.read_text(encoding="utf-8")

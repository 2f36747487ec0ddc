"""The pictures that the web server draws: of what the tables hold now, and of nothing else."""

import datetime as dt
import http.client
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from grader_pipeline.assets.materializations import report_metadata
from grader_pipeline.partitions import window
from grader_pipeline.reports import pictures
from grader_pipeline.reports.privacy import may_be_shown, read_shown
from grader_pipeline.settings import Settings
from grader_pipeline_tests.reports.conftest import REPORTS, School
from grader_pipeline_tests.reports.school_days import DAY, OK, RUN, WRONG, X, Y, at

LEARNERS = [f"u{number}" for number in range(8)]
PNG = b"\x89PNG\r\n\x1a\n"
DRAWN = [name for name, report in REPORTS.items() if report.picture and may_be_shown(report)]


@pytest.fixture(autouse=True)
def stored(school: School) -> None:
    """Two days with enough learners to be shown."""
    for back in (1, 0):
        day = DAY - dt.timedelta(days=back)
        attempts = [
            at(f"{hour:02}:{minute:02}", name, verdict, task, back=back)
            for minute, name in enumerate(LEARNERS)
            for hour, verdict, task in ((9, RUN, X), (10, WRONG, X), (11, OK, X), (12, WRONG, Y))
        ]
        school.load(day, attempts)
        school.compute(day)


def address(report: str, day: dt.date = DAY) -> str:
    return f"/pictures/{report}/{day}.png"


def kept(report: str, day: dt.date = DAY) -> Path:
    return Path(Settings().storage, "pictures", report, f"{day}.png")


def rows_of(school: School, name: str) -> list[dict[str, object]]:
    report = REPORTS[name]
    assert report.picture
    with school.postgres.transaction() as db:
        return read_shown(db, report, until=DAY, days=report.picture.days)


def test_each_link_in_the_metadata_of_a_report_leads_to_its_lines_and_to_its_picture(
    school: School, ui: httpx.Client
) -> None:
    linked = []
    for name, report in REPORTS.items():
        with school.postgres.transaction() as db:
            found = report_metadata(db, report, window(DAY))
        if lines := found.get("lines"):
            path, section = re.findall(r"\]\((.*)#(.*)\)", f"{lines.value.split(')')[0]})")[0]
            answer = ui.get(path)
            assert answer.headers["content-type"].startswith("text/html")
            assert f'<section id="{section}"' in answer.text
        if picture := found.get("picture"):
            assert f"]({address(name)})" in str(picture.value)
            answer = ui.get(address(name))
            if not pictures._points(report, report.picture, rows_of(school, name)):
                assert "has no value to draw" in answer.text
                continue
            linked.append(name)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
            assert answer.content.startswith(PNG)
    assert {"daily_metrics", "hours", "tasks"} <= set(linked) <= set(DRAWN)


def test_a_page_of_a_day_that_is_not_stored_is_answered_with_404_and_why(ui: httpx.Client) -> None:
    for day, why in (("2023-05-20", "is stored"), ("today", "/days/YYYY-MM-DD")):
        answer = ui.get(f"/days/{day}")
        assert answer.status_code == 404
        assert why in answer.text


def test_a_second_look_gets_the_kept_file(ui: httpx.Client) -> None:
    first = ui.get(address("hours")).content
    file = kept("hours")
    assert file.read_bytes() == first
    written = file.stat().st_mtime_ns
    assert ui.get(address("hours")).content == first
    assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("corrected", [DAY, DAY - dt.timedelta(days=1)])
def test_a_picture_drawn_before_a_correction_is_never_shown_after_it(
    school: School, ui: httpx.Client, corrected: dt.date
) -> None:
    before = ui.get(address("daily_metrics")).content
    back = (DAY - corrected).days
    school.load(corrected, [at("20:00", name, OK, Y, back=back) for name in LEARNERS])
    school.compute(corrected)
    after = ui.get(address("daily_metrics")).content
    assert after != before
    assert kept("daily_metrics").read_bytes() == after
    # A slower web server writes what it has drawn before.
    kept("daily_metrics").write_bytes(before)
    assert ui.get(address("daily_metrics")).content == after


def test_a_file_that_is_no_picture_of_the_day_is_drawn_again(ui: httpx.Client) -> None:
    drawn = ui.get(address("hours")).content
    ui.get(address("hours", DAY - dt.timedelta(days=1)))
    for wrong in (b"", b"no picture", kept("hours", DAY - dt.timedelta(days=1)).read_bytes()):
        kept("hours").write_bytes(wrong)
        assert ui.get(address("hours")).content == drawn


def test_a_storage_that_fails_still_shows_the_picture_and_is_logged(ui: httpx.Client) -> None:
    storage = Path(Settings().storage)
    storage.mkdir(parents=True, exist_ok=True)
    (storage / "pictures").write_text("a file where the folder should be")
    assert ui.get(address("hours")).content.startswith(PNG)
    log = (Settings().logs_dir / "app_log.txt").read_text()
    assert "A picture cannot be kept in the storage" in log


NO_PICTURES = [
    ("/pictures/no_such_report/2023-05-31.png", "No report has this name"),
    ("/pictures/metrics/2023-05-31.png", "No report has this name"),
    ("/pictures/learners/2023-05-31.png", "stays in the database"),
    ("/pictures/broken_tasks/2023-05-31.png", "asks for no picture"),
    ("/pictures/hours/2023-05-20.png", "is not stored: materialize that day"),
    ("/pictures/hours/2023-02-31.png", "is not in the calendar"),
    ("/pictures/hours/2023-5-31.png", "write it as YYYY-MM-DD"),
    ("/pictures/hours/2999-01-01.png", "has not ended"),
    ("/pictures/hours/1999-01-01.png", "lies before GRADER_START_DATE"),
    ("/pictures/hours/2023-05-31.svg", "Write the address as"),
    ("/pictures/hours/", "Write the address as"),
    ("/pictures/../../secret/2023-05-31.png", "Write the address as"),
    ("/pictures/..%2f..%2fsecret/2023-05-31.png", "Write the address as"),
    ("/pictures/hours/..%2f..%2fsecret.png", "Write the address as"),
    ("/pictures/%2e%2e/2023-05-31.png", "No report has this name"),
    ("/pictures/hours/2023-05-31%00.png", "write it as YYYY-MM-DD"),
]


def test_what_is_no_picture_is_answered_with_404_and_why_and_leaves_no_file(
    ui: httpx.Client,
) -> None:
    # httpx would tidy the addresses up.
    connection = http.client.HTTPConnection(ui.base_url.host, ui.base_url.port or 0)
    for asked, why in NO_PICTURES:
        connection.request("GET", asked)
        answer = connection.getresponse()
        assert why in answer.read().decode(), asked
        assert answer.status == 404
        assert answer.headers["content-type"].startswith("text/plain")
    assert not Path(Settings().storage).exists()


def test_a_picture_that_waits_for_the_database_delays_nobody_else(
    school: School, ui: httpx.Client
) -> None:
    with ThreadPoolExecutor() as pool:
        with school.postgres.transaction() as db:
            db.execute("LOCK TABLE report_day IN ACCESS EXCLUSIVE MODE")
            waiting = [pool.submit(ui.get, address(name)) for name in ("hours", "tasks")]
            for _ in range(3):
                assert ui.get("/server_info", timeout=5).status_code == 200
            assert not any(asked.done() for asked in waiting)
        assert [asked.result().status_code for asked in waiting] == [200, 200]


def test_dagsters_own_pages_and_its_graphql_are_served_as_before(ui: httpx.Client) -> None:
    assert "Dagster" in ui.get("/runs").text
    assert ui.get("/assets/hours").headers["content-security-policy"]
    asked = ui.post("/graphql", json={"query": "{ version }"})
    assert asked.json()["data"]["version"] == ui.get("/server_info").json()["dagster_version"]

"""The whole product in a browser: what the UI shows, and what a backfill started there leaves."""

import datetime as dt
import email
import email.policy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import psycopg
import pytest
from playwright.sync_api import Page

from grader_pipeline.asset_names import ASSET_NAMES
from grader_pipeline.local.stack import Stack
from grader_pipeline.page.page import write_report
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline_tests.browser.pictures import PICTURES, Picture, World, kept_labels, labels
from grader_pipeline_tests.browser.test_page import broken_on_paper
from grader_pipeline_tests.wheel import CHECKOUT

DAYS = ["2023-05-30", "2023-05-31", "2023-06-01"]
WHOLE_DAY = "2023-06-02"
GROUP = "/locations/__repository__@grader_pipeline/asset-groups/grader"

LAUNCH_BACKFILL = """mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } } }"""
BACKFILL = """query State($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status runs(limit: 10) { runId status } } } }"""
LAUNCH_RUN = """mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RUN = """query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status }
  } logsForRun(runId: $id) { ... on EventConnection { events {
    ... on ExecutionStepFailureEvent { error { message } }
    ... on RunFailureEvent { error { message } } } } } }"""
EVENTS_OF_A_RUN = 75_000, 60 * 1024
"""More characters, and more stored bytes, than the events of a run with nine reports have. Half of
them are Dagster's own fields, and a longer GRADER_HOME makes some longer."""

ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


def wait_for(what: Callable[[], Any], seconds: float = 150) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.5)
    return value


def run_of(key: str) -> dict[str, Any]:
    """What the UI sends to launch a run of a day."""
    return {
        "selector": {
            "repositoryLocationName": "grader_pipeline",
            "repositoryName": "__repository__",
            "pipelineName": "grader_day",
        },
        "runConfigData": {},
        "mode": "default",
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": key}]},
    }


@pytest.fixture(scope="module")
def backfill(stack: Stack) -> list[str]:
    """The runs of a three-day backfill, launched as the UI launches one."""
    params = {
        "assetSelection": [{"path": [name]} for name in ASSET_NAMES],
        "partitionNames": DAYS,
        "fromFailure": False,
    }
    launched = stack.ask(LAUNCH_BACKFILL, {"params": params})["launchPartitionBackfill"]

    def ended() -> dict[str, Any] | None:
        state = stack.ask(BACKFILL, {"id": launched["backfillId"]})["partitionBackfillOrError"]
        return None if state["status"] == "REQUESTED" else state

    state = wait_for(ended, 300)
    assert state["status"] == "COMPLETED_SUCCESS"
    return [run["runId"] for run in state["runs"]]


def test_the_lineage_shows_the_pipeline_in_the_order_of_the_data(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}{GROUP}/lineage")
    places = []
    for name in ASSET_NAMES:
        # The title of a node. Menus further left have the same words.
        node = page.locator("foreignObject, svg").get_by_text(name, exact=True).first
        node.wait_for(timeout=60_000)
        box = node.bounding_box()
        assert box is not None
        places.append(box["x"])
    assert places == sorted(places)
    assert len(set(places)) == len(ASSET_NAMES)


def test_a_backfill_of_three_days_fills_table_and_workbook_and_sends_one_mail(
    stack: Stack, settings: Settings, backfill: list[str]
) -> None:
    assert len(backfill) == len(DAYS)
    with psycopg.connect(stack.database_url) as db:
        loaded = db.execute(
            "SELECT report_date::text, loaded > 1000 FROM grader_load ORDER BY 1"
        ).fetchall()
    assert loaded == [(day, True) for day in DAYS]
    sheet = openpyxl.load_workbook(settings.workbook)["Лист1"]
    shown = {cell.value.date().isoformat() for cell in sheet["A"][1:] if cell.value}
    assert shown == set(DAYS)
    # Once it is decided what each run and the backfill call for, no further mail can follow.
    assert wait_for(lambda: decided(stack) == len(backfill) + 1, 60)
    with psycopg.connect(stack.database_url) as db:
        assert db.execute("SELECT count(*) FROM mail_outbox").fetchone() == (1,)
    (mail,) = wait_for(lambda: sorted(settings.outbox_dir.glob("*.eml")), 60)
    assert subject(mail).startswith("Выгрузка grades завершена")


def decided(stack: Stack) -> int:
    with psycopg.connect(stack.database_url) as db:
        found = db.execute("SELECT count(settled_at) FROM mail_candidate").fetchone()
    assert found
    return int(found[0])


def mails(settings: Settings) -> list[Path]:
    return list(settings.outbox_dir.glob("*.eml"))


def subject(mail: Path) -> str:
    return str(email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)["Subject"])


def test_a_run_shows_its_row_counts_and_no_learner(
    stack: Stack, page: Page, backfill: list[str]
) -> None:
    page.goto(f"{stack.url}/assets/validated_attempts?partition=2023-05-31&view=partitions")
    page.get_by_text("duplicates").first.wait_for(timeout=60_000)
    text = page.inner_text("body")
    with psycopg.connect(stack.database_url) as db:
        learners = [row[0] for row in db.execute("SELECT DISTINCT user_id FROM grader")]
    assert learners
    assert not [learner for learner in learners if learner in text]


@pytest.fixture(scope="module")
def whole_day(stack: Stack) -> str:
    """A run of a day with its reports, launched as the schedule launches one."""
    params = run_of(WHOLE_DAY)
    run: str = stack.ask(LAUNCH_RUN, {"params": params})["launchRun"]["run"]["runId"]

    def ended() -> dict[str, Any] | None:
        found = stack.ask(RUN, {"id": run})
        return found if found["runOrError"]["status"] in ENDED else None

    assert wait_for(ended)["runOrError"]["status"] == "SUCCESS"
    return run


def test_the_page_of_a_day_shows_the_picture_of_that_day(
    stack: Stack, page: Page, whole_day: str
) -> None:
    page.goto(f"{stack.url}/assets/hours?partition={WHOLE_DAY}&view=partitions")
    picture = page.locator(f"img[src='/pictures/hours/{WHOLE_DAY}.png']").first
    picture.wait_for(timeout=60_000)
    assert wait_for(lambda: picture.evaluate("image => image.naturalWidth"), 30) > 500


def test_the_tables_of_a_day_with_many_columns_fit_on_paper(
    stack: Stack, page: Page, whole_day: str, tmp_path: Path
) -> None:
    out = tmp_path / "page.html"
    day = dt.date.fromisoformat(WHOLE_DAY)
    assert write_report(Postgres.at(stack.database_url), day, day, out) == 1
    page.goto(out.as_uri())
    assert page.locator(".broad td").count() > 100
    assert broken_on_paper(page) == []


def test_a_click_on_a_day_in_the_list_of_an_asset_shows_its_picture(
    stack: Stack, page: Page, whole_day: str
) -> None:
    page.goto(f"{stack.url}/assets/hours?view=events")
    page.get_by_text(WHOLE_DAY).first.click(timeout=60_000)
    picture = page.locator(f"img[src='/pictures/hours/{WHOLE_DAY}.png']").first
    assert wait_for(lambda: picture.evaluate("image => image.naturalWidth"), 30) > 500


def test_a_click_in_the_metadata_of_a_day_shows_all_lines_of_its_report(
    stack: Stack, page: Page, whole_day: str
) -> None:
    page.goto(f"{stack.url}/assets/hours?partition={WHOLE_DAY}&view=partitions")
    page.get_by_role("link", name="All lines").first.click(timeout=60_000)
    shown = page.context.pages[-1]
    shown.wait_for_url(f"**/days/{WHOLE_DAY}#hours", timeout=60_000)
    assert shown.locator("#hours td").count() > 20


def test_the_events_of_a_run_are_small_and_hold_no_picture(stack: Stack, whole_day: str) -> None:
    with psycopg.connect(stack.database_url) as db:
        events = db.execute(
            "SELECT event, pg_column_size(event) FROM dagster.event_logs WHERE run_id = %s",
            [whole_day],
        ).fetchall()
    texts = [text for text, _ in events]
    assert "/pictures/hours/" in "".join(texts)
    assert not [text for text in texts if "base64" in text]
    sizes = sum(map(len, texts)), sum(size for _, size in events)
    assert all(size < most for size, most in zip(sizes, EVENTS_OF_A_RUN, strict=True)), sizes


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_of_the_papers_has_the_labels_that_are_served(
    stack: Stack,
    settings: Settings,
    page: Page,
    backfill: list[str],
    whole_day: str,
    tmp_path: Path,
    picture: Picture[World],
) -> None:
    day = dt.date.fromisoformat(WHOLE_DAY)
    wait_for(lambda: any(f"{day:%d.%m.%Y}" in subject(mail) for mail in mails(settings)), 60)
    before = page.viewport_size
    assert before
    page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
    picture.open(page, World(stack, settings, day, tmp_path))
    assert labels(picture, page) == kept_labels(picture), "make pictures"
    page.set_viewport_size(before)


def test_every_picture_of_the_papers_is_made_from_what_runs() -> None:
    made = {picture.file for picture in PICTURES}
    assert set((CHECKOUT / "docs").glob("*.png")) == made


@pytest.mark.parametrize("key", ["2023-5-31", "2999-01-01", "../../x"])
def test_a_key_that_is_no_ended_day_loads_nothing_and_says_why(
    stack: Stack, settings: Settings, key: str
) -> None:
    params = run_of(key)
    before = files_in(settings.grader_home)
    # Dagster itself refuses some keys, with status 500, and launches others.
    asked = {"query": LAUNCH_RUN, "variables": {"params": params}}
    answer = httpx.post(f"{stack.url}/graphql", json=asked, timeout=60).json()
    launched = answer["data"]["launchRun"]
    if launched["__typename"] == "LaunchRunSuccess":
        run = launched["run"]["runId"]

        def outcome() -> dict[str, Any] | None:
            found = stack.ask(RUN, {"id": run})
            return found if found["runOrError"]["status"] in ENDED else None

        found = wait_for(outcome)
        assert found["runOrError"]["status"] == "FAILURE"
        errors = [event.get("error") for event in found["logsForRun"]["events"]]
        said = " ".join(error["message"] for error in errors if error)
    else:
        said = launched["message"]
    assert key in said
    assert files_in(settings.grader_home) == before


def files_in(home: Path) -> set[Path]:
    """The files of the days, and any file that a path in a key would have created."""
    return {*(home / "storage").rglob("*"), *home.glob("x*"), *home.parent.glob("x*")}

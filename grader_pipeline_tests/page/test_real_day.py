"""The day whose totals are published, through the whole chain, and the page about it."""

import datetime as dt
import socket
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import dagster as dg
import psycopg
import pytest
import uvicorn

from grader_pipeline.definitions import build_defs
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.page.page import write_report
from grader_pipeline.reports.privacy import may_be_shown
from grader_pipeline.reports.report_files import reports
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.sample_api.server import sample_api

DAY = dt.date(2023, 5, 31)


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server = uvicorn.Server(uvicorn.Config(sample_api(), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        monkeypatch.setenv("GRADER_API_URL", url)
        monkeypatch.setenv("GRADER_API_CLIENT", "sample")
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", "sample")
        # The published totals are of a day of UTC.
        monkeypatch.setenv("GRADER_TIMEZONE", "UTC")
        yield
        server.should_exit = True
        thread.join()


def test_the_published_totals_come_out_and_the_page_tells_them(
    sample: None, database_url: str, tmp_path: Path
) -> None:
    job = build_defs().resolve_job_def("grader_day")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(partition_key=DAY.isoformat(), instance=instance)
    with psycopg.connect(database_url) as db:
        values = dict(db.execute("SELECT metric, value FROM daily_metrics").fetchall())
        learners = [row[0] for row in db.execute("SELECT DISTINCT user_id FROM grader")]
        names = [row[0] for row in db.execute("SELECT DISTINCT user_id FROM learners")]
    published = {
        "attempts": 6458, "runs": 3945, "submits": 2513, "successful_submits": 879,
        "unique_users": 292,
    }  # fmt: skip
    assert {name: values[name] for name in published} == published
    assert names

    done = {event.materialization.asset_key.to_user_string(): event.materialization.metadata
            for event in result.get_asset_materialization_events()}  # fmt: skip
    assert done["metrics"]["submits"].value == 2513
    for name in ("daily_metrics", "hours", "tasks", "courses", "attention"):
        assert f"(/pictures/{name}/{DAY}.png)" in done[name]["picture"].md_str
        assert f"(/days/{DAY}#{name})" in done[name]["lines"].md_str
    assert not {"picture", "lines"} & done["learners"].keys()

    out = tmp_path / "report.html"
    assert write_report(Postgres(), DAY - dt.timedelta(days=6), DAY, out) == 1
    html = out.read_text(encoding="utf-8")
    page = Page()
    page.feed(html)
    assert page.outside == []
    assert len(page.pictures) == sum(bool(r.picture) and may_be_shown(r) for r in reports())
    assert "2\N{NO-BREAK SPACE}513" in html
    assert "Количество уникальных юзеров" in html
    public = html + repr([event.event_specific_data for event in result.all_events])
    assert not [learner for learner in learners if learner in public]


def test_a_page_about_days_that_are_not_stored_says_so(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(PermanentFailure, match="materialize those days"):
        write_report(Postgres(), DAY, DAY, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


class Page(HTMLParser):
    """What a page draws, and what it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for value in (given.get("src"), given.get("href")):
            if value and not value.startswith(("data:", "#")):
                self.outside.append(value)
        if tag == "img":
            self.pictures.append(given["src"] or "")
        if tag in {"script", "link", "iframe"}:
            self.outside.append(tag)

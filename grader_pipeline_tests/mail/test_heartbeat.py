"""The heartbeat: asked once after a morning that went well, and silent as long as it did not.

That it is silent without daemon, code or schedule: ``roles/test_alarm.py``.
"""

import datetime as dt
from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from grader_pipeline.mail import heartbeat, mailed
from grader_pipeline.mail.heartbeat import beat
from grader_pipeline.mornings import newest_morning
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline_tests import grader
from grader_pipeline_tests.grader import Grader, body, raw
from grader_pipeline_tests.stacks import api

SECRET = "ping-that-nobody-may-see"


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Grader]:
    """The watch outside, and a school with a real API."""
    with grader.running() as server:
        server.answer = body(b"OK")
        address = server.url.replace("/attempts", f"/{SECRET}")
        for name, value in {**api(server.url, "school"), "GRADER_HEARTBEAT_URL": address}.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def day() -> dt.date:
    return newest_morning(Settings(), dt.datetime.now(dt.UTC))


@pytest.fixture
def reported(watch: Grader, postgres: Postgres, day: dt.date) -> None:
    """The newest morning's day is reported, and its mail has reached one of two colleagues."""
    with postgres.transaction() as db:
        mailed.note_reported(db, [day])
        db.execute(
            "INSERT INTO mail_outbox (key, kind, report_date, subject, message)"
            " VALUES ('success:1', 'success', %s, 'x', '')",
            [day],
        )
        db.execute(
            "INSERT INTO mail_recipient (key, address, state) VALUES ('success:1', 'a', 'sent'),"
            " ('success:1', 'b', 'failed')"
        )


@pytest.fixture
def again(postgres: Postgres) -> Callable[[], None]:
    """End the pause after an error."""

    def now() -> None:
        with postgres.transaction() as db:
            db.execute("UPDATE heartbeat SET next_attempt_at = now()")

    return now


@pytest.mark.usefixtures("reported")
def test_a_morning_that_went_well_is_asked_for_once(
    instance: dg.DagsterInstance, postgres: Postgres, watch: Grader, again: Callable[[], None]
) -> None:
    for _ in range(3):
        assert beat(instance, postgres) is None
        again()
    assert watch.paths == [f"/{SECRET}"]


@pytest.mark.usefixtures("reported")
@pytest.mark.parametrize(
    "trouble",
    [
        "DELETE FROM mailed_day",
        "UPDATE mailed_day SET is_reported = false",
        "UPDATE mailed_day SET report_date = report_date - 1",
        "UPDATE mail_recipient SET state = 'failed'",
        "UPDATE mail_recipient SET state = 'queued'",
        "UPDATE mail_recipient SET state = 'queued';"
        " UPDATE mail_outbox SET kind = 'digest', report_date = NULL",
    ],
)
def test_it_is_silent_while_the_report_is_not_out_or_its_mail_has_reached_nobody(
    instance: dg.DagsterInstance, postgres: Postgres, watch: Grader, trouble: str
) -> None:
    with postgres.transaction() as db:
        db.execute(trouble)
    assert beat(instance, postgres) is None
    assert watch.paths == []


@pytest.mark.usefixtures("reported")
def test_mails_of_earlier_days_and_of_failures_do_not_silence_it(
    instance: dg.DagsterInstance, postgres: Postgres, watch: Grader, day: dt.date
) -> None:
    with postgres.transaction() as db:
        db.execute(
            "INSERT INTO mail_outbox (key, kind, report_date, subject, message, created_at) VALUES"
            " ('failure:1', 'failure', %(day)s, 'x', '', now()),"
            " ('success:0', 'success', %(day)s::date - 1, 'x', '', now()),"
            " ('digest:0', 'digest', NULL, 'x', '', now() - interval '3 days')",
            {"day": day},
        )
    beat(instance, postgres)
    assert len(watch.paths) == 1


@pytest.mark.usefixtures("reported")
def test_without_a_real_api_nobody_waits_for_it(
    instance: dg.DagsterInstance,
    postgres: Postgres,
    watch: Grader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADER_API_CLIENT", "sample")
    assert beat(instance, postgres) is None
    assert watch.paths == []


@pytest.mark.usefixtures("reported")
def test_an_answer_that_is_no_success_is_asked_for_again_after_a_pause_and_shows_no_address(
    instance: dg.DagsterInstance,
    postgres: Postgres,
    watch: Grader,
    again: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(heartbeat, "_ANSWER_SECONDS", 0.3)
    texts = []
    for answer in (body(b"", 500), body(b"", 404), raw(b"nonsense\r\n\r\n"), raw(b"")):
        watch.answer = answer
        texts.append(beat(instance, postgres))
        asked = len(watch.paths)
        assert beat(instance, postgres) is None, "it waits"
        assert len(watch.paths) == asked
        again()
    assert all(texts), texts
    assert texts[:2] == [f"GRADER_HEARTBEAT_URL answers {status}." for status in (500, 404)]
    watch.answer = body(b"OK")
    assert beat(instance, postgres) is None
    monkeypatch.setenv("GRADER_HEARTBEAT_URL", f"http://127.0.0.1:1/{SECRET}")
    with postgres.transaction() as db:
        assert db.execute("SELECT last_error FROM heartbeat").fetchall() == [{"last_error": None}]
        db.execute("DELETE FROM heartbeat")
    texts.append(beat(instance, postgres))
    assert "gives no answer (ConnectError)" in str(texts[-1])
    assert SECRET not in caplog.text + "".join(map(str, texts))
